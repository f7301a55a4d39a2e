# Every combination of given hyperparameters with every seed; the validation score decides.
rule grid:
    input:
        data=data_file,
    output:
        table=ensure(f"results/grids/{{study}}/{RUN}/grid.csv", non_empty=True),
        optimum=ensure(f"results/grids/{{study}}/{RUN}/optimum.json", non_empty=True),
        run=ensure(f"results/grids/{{study}}/{RUN}/grid.json", non_empty=True),
    log:
        f"logs/grid/{{study}}/{RUN}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        **GPU,
        attempt=which_attempt,
        mem_mb=8000,
        runtime=720,
    params:
        spec=spec,
        grid=grid_of,
        seeds=seeds_of,
        code=code_of_cell(
            "grid",
            "rnncells.search.grid",
            record=f"results/grids/{{study}}/{RUN}/grid.json",
        ),
    script:
        "../scripts/grid.py"
