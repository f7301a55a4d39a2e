rule search:
    input:
        trajectories=trajectory_file,
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
        mem_mb=4000,
        runtime=720,
    params:
        task=of_study("task"),
        device=of_study("device"),
        options=of_cell("options"),
        training=of_cell("training"),
        configurations=of_cell("search", "configurations"),
        settings=of_cell("search", "settings"),
        code=code_of_cell("search", "rnncells.search.trials"),
    script:
        "../scripts/search.py"
