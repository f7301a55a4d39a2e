rule search:
    input:
        data=data_file,
    output:
        observations=ensure(
            f"results/searches/{{study}}/{RUN}/observations.csv", non_empty=True
        ),
        run=ensure(f"results/searches/{{study}}/{RUN}/search.json", non_empty=True),
    log:
        f"logs/search/{{study}}/{RUN}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        **GPU,
        attempt=which_attempt,
        mem_mb=MEMORY_MB,
        runtime=720,
    params:
        spec=spec,
        configurations=configurations,
        settings=search_settings,
        code=code_of_cell(
            "search",
            "rnncells.search.trials",
            record=f"results/searches/{{study}}/{RUN}/search.json",
        ),
    script:
        "../scripts/search.py"
