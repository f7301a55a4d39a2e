# Baselines of a benchmark that others have published, beside the same numbers of this configuration.
rule baseline:
    input:
        metrics=expand("results/tables/{study}/metrics.parquet", study=WITH_BASELINE),
        grids=baseline_grids(),
        published=published_file("cogscale_baseline.csv"),
    output:
        table=f"{OVERALL}/baseline.csv",
    log:
        f"logs/overall/{CONFIGURATION}/baseline.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        studies=WITH_BASELINE,
        code=code(
            "baseline",
            "rnncells.results.baseline",
            *dict.fromkeys(
                task_class(study["task"]).__module__
                for study in WITH_BASELINE.values()
            ),
        ),
    script:
        "../scripts/baseline.py"


# What was published beside what came out here, for whatever studies the configuration has.
rule scorecard:
    input:
        claims=published_file("claims.csv"),
        baseline=rules.baseline.output.table,
        metrics=expand("results/tables/{study}/metrics.parquet", study=PLAN),
        provenance=expand("results/tables/{study}/provenance.parquet", study=PLAN),
    output:
        table=f"{OVERALL}/scorecard.csv",
        table_page=report(
            f"{OVERALL}/scorecard.html",
            caption="../report/scorecard.rst",
            category="scorecard",
            labels={"figure": "scorecard table"},
        ),
        page=f"{OVERALL}/README.md",
        pdf=f"{OVERALL}/scorecard.pdf",
        png=report(
            f"{OVERALL}/scorecard.png",
            caption="../report/figure.rst",
            category="scorecard",
            labels={"figure": "scorecard"},
        ),
    log:
        f"logs/overall/{CONFIGURATION}/scorecard.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        caption=caption_of("rnncells.figures.scorecard"),
        studies=compared_studies,
        code=code(
            "scorecard",
            "rnncells.figures.drawing",
            "rnncells.figures.scorecard",
            "rnncells.results.baseline",
            "rnncells.results.scorecard_page",
            "rnncells.results.tablepage",
        ),
    script:
        "../scripts/scorecard.py"
