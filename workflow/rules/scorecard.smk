# What was published beside what came out here, for whatever studies the configuration has.
rule scorecard:
    input:
        claims=published_file("claims.csv"),
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
            "rnncells.results.scorecard_page",
            "rnncells.results.tablepage",
        ),
    script:
        "../scripts/scorecard.py"
