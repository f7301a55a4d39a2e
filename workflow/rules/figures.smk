# Any figure of a study: it is drawn from the tables that the parameters of its function name.
rule figure:
    input:
        unpack(figure_tables),
    output:
        pdf="results/figures/{study}/{figure}.pdf",
        png=report(
            "results/figures/{study}/{figure}.png",
            caption="../report/figure.rst",
            category="{study}",
            subcategory="figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "logs/figure/{study}/{figure}.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        module=lambda wildcards: describe_figure(wildcards.figure).module,
        function=lambda wildcards: describe_figure(wildcards.figure).function,
        caption=caption_of_figure,
        protocol=protocol,
        code=code_of_figure,
    script:
        "../scripts/figure.py"


rule figure_search:
    input:
        observations=f"results/searches/{{study}}/{RUN}/observations.csv",
        optimum=f"results/searches/{{study}}/{RUN}/optimum.json",
        surrogate=f"results/searches/{{study}}/{RUN}/surrogate.parquet",
    output:
        pdf=f"results/figures/{{study}}/search/{RUN}.pdf",
        png=report(
            f"results/figures/{{study}}/search/{RUN}.png",
            caption="../report/figure.rst",
            category="{study}",
            subcategory="searches",
            labels={"figure": "search", "cell": "{cell}", "size": "{size}"},
        ),
    log:
        f"logs/figure/{{study}}/search/{RUN}.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        protocol=protocol_of_cell,
        space=search_space,
        configurations=configurations,
        caption=caption_of("rnncells.figures.search"),
        code=code(
            "figure_search",
            "rnncells.figures.drawing",
            "rnncells.figures.search",
            "rnncells.search.observations",
        ),
    script:
        "../scripts/figure_search.py"


rule index:
    input:
        figures=study_figures,
    output:
        "results/figures/{study}/README.md",
    log:
        "logs/index/{study}.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=500,
        runtime=5,
    params:
        protocol=protocol,
        code=code("index", "rnncells.results.pages"),
    script:
        "../scripts/index.py"
