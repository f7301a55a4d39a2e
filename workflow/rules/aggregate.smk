rule aggregate:
    input:
        metrics=run_files("metrics.parquet"),
        examples=run_files("examples.parquet"),
        runs=run_files("run.json"),
        searches=search_records,
        published=published_optima,
    output:
        metrics=ensure("results/tables/{study}/metrics.parquet", non_empty=True),
        examples=ensure("results/tables/{study}/examples.parquet", non_empty=True),
        runs=ensure("results/tables/{study}/runs.parquet", non_empty=True),
        runs_csv=ensure("results/tables/{study}/runs.csv", non_empty=True),
        summary=ensure("results/tables/{study}/summary.parquet", non_empty=True),
        summary_csv=ensure("results/tables/{study}/summary.csv", non_empty=True),
        summary_page=report(
            ensure("results/tables/{study}/summary.html", non_empty=True),
            caption="../report/summary.rst",
            category="{study}",
            subcategory="tables",
            labels={"figure": "summary table"},
        ),
        comparisons=ensure("results/tables/{study}/comparisons.parquet", non_empty=True),
        comparisons_csv=ensure("results/tables/{study}/comparisons.csv", non_empty=True),
        comparisons_page=report(
            ensure("results/tables/{study}/comparisons.html", non_empty=True),
            caption="../report/comparisons.rst",
            category="{study}",
            subcategory="tables",
            labels={"figure": "comparisons table"},
        ),
        published=ensure("results/tables/{study}/published.parquet", non_empty=True),
        provenance=ensure("results/tables/{study}/provenance.parquet", non_empty=True),
        provenance_csv=ensure("results/tables/{study}/provenance.csv", non_empty=True),
        provenance_page=report(
            ensure("results/tables/{study}/provenance.html", non_empty=True),
            caption="../report/provenance.rst",
            category="{study}",
            subcategory="tables",
            labels={"figure": "provenance"},
        ),
    log:
        "logs/aggregate/{study}.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
        attempt=which_attempt,
    params:
        task=outcome,
        code=code(
            "aggregate",
            "rnncells.results.comparisons",
            "rnncells.results.published",
            "rnncells.results.summary",
            "rnncells.results.tablepage",
            "rnncells.results.tables",
        ),
    script:
        "../scripts/aggregate.py"


rule across_tasks:
    input:
        expand("results/tables/{study}/runs.parquet", study=PLAN),
    output:
        cells=f"{OVERALL}/across_tasks.csv",
        cells_page=report(
            f"{OVERALL}/across_tasks.html",
            caption="../report/across_tasks.rst",
            category="all studies",
            labels={"figure": "cells over all tasks"},
        ),
        improvements=f"{OVERALL}/improvements.csv",
        improvements_page=report(
            f"{OVERALL}/improvements.html",
            caption="../report/improvements.rst",
            category="all studies",
            labels={"figure": "probability of improvement"},
        ),
    log:
        f"logs/overall/{CONFIGURATION}/across_tasks.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        studies=list(PLAN),
        code=code(
            "across_tasks",
            "rnncells.results.comparisons",
            "rnncells.results.tablepage",
        ),
    script:
        "../scripts/across_tasks.py"


rule cost:
    input:
        provenance=expand("results/tables/{study}/provenance.parquet", study=PLAN),
    output:
        table=f"{OVERALL}/cost.csv",
        pdf=f"{OVERALL}/cost.pdf",
        png=report(
            f"{OVERALL}/cost.png",
            caption="../report/figure.rst",
            category="cost",
            labels={"figure": "cost"},
        ),
    log:
        f"logs/overall/{CONFIGURATION}/cost.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        caption=caption_of("rnncells.figures.cost"),
        code=code(
            "cost",
            "rnncells.figures.cost",
            "rnncells.figures.drawing",
            "rnncells.results.costs",
        ),
    script:
        "../scripts/cost.py"


rule summary:
    input:
        runs=expand("results/tables/{study}/runs.parquet", study=PLAN),
        summaries=expand("results/tables/{study}/summary.parquet", study=PLAN),
    output:
        runs=f"{OVERALL}/overview.csv",
        runs_page=report(
            f"{OVERALL}/overview.html",
            caption="../report/overview.rst",
            category="all studies",
            labels={"figure": "every run"},
        ),
        table=f"{OVERALL}/ranking.csv",
        pairs=f"{OVERALL}/pairs.csv",
        pdf=f"{OVERALL}/summary.pdf",
        png=report(
            f"{OVERALL}/summary.png",
            caption="../report/figure.rst",
            category="all studies",
            labels={"figure": "every cell on every study"},
        ),
    log:
        f"logs/overall/{CONFIGURATION}/summary.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        studies=scales(),
        published=relative(PUBLISHED),
        caption=caption_of("rnncells.figures.summary"),
        code=code(
            "summary",
            "rnncells.figures.summary",
            "rnncells.figures.drawing",
            "rnncells.results.overview",
            "rnncells.results.tablepage",
        ),
    script:
        "../scripts/summary.py"
