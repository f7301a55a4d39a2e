rule optimum:
    input:
        observations=f"results/searches/{{study}}/{RUN}/observations.csv",
    output:
        optimum=ensure(f"results/searches/{{study}}/{RUN}/optimum.json", non_empty=True),
        surrogate=ensure(
            f"results/searches/{{study}}/{RUN}/surrogate.parquet", non_empty=True
        ),
        run=ensure(f"results/searches/{{study}}/{RUN}/extraction.json", non_empty=True),
    log:
        f"logs/optimum/{{study}}/{RUN}.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        attempt=which_attempt,
    params:
        space=search_space,
        extraction=extraction,
        configurations=configurations,
        code=code("optimum", "rnncells.search.optimum"),
    script:
        "../scripts/optimum.py"
