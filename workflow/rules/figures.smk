# The figures of the tasks: which tables each one reads. Its function in rnncells.figures.all and its
# caption have the same name.
TABLES = {
    "training_loss": ["metrics"],
    "accuracy": ["summary"],
    "capacity": ["summary", "runs"],
    "trajectories": ["examples", "metrics"],
}

for figure, tables in TABLES.items():

    rule:
        name:
            f"figure_{figure}"
        input:
            **{name: f"results/tables/{{study}}/{name}.parquet" for name in tables},
        output:
            pdf=f"results/figures/{{study}}/{figure}.pdf",
            png=report(
                f"results/figures/{{study}}/{figure}.png",
                caption=f"../report/{figure}.rst",
                category="{study}",
                labels={"figure": figure.replace("_", " ")},
            ),
        log:
            f"logs/figure/{{study}}/{figure}.log",
        localrule: True
        conda:
            ENVIRONMENT
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            figure=figure,
            protocol=protocol,
            code=code("figure", "rnncells.figures.all"),
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
            caption="../report/search.rst",
            category="{study}",
            subcategory="searches",
            labels={"figure": "search", "cell": "{cell}", "hidden": "{hidden}"},
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
        space=of_cell("search", "settings", "space"),
        configurations=of_cell("search", "configurations"),
        code=code("figure_search", "rnncells.figures.all", "rnncells.search.observations"),
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
