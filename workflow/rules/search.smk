rule search:
    input:
        code=source_files("rnncells.trials", "rnncells.tasks.{task}"),
        trajectories=trajectory_file,
    output:
        ensure(f"results/searches/{{study}}/{RUN}/observations.csv", non_empty=True),
    log:
        f"logs/search/{{study}}/{RUN}.log",
    benchmark:
        f"results/benchmarks/{{study}}/search/{RUN}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
        gpu=gpus,
    params:
        task=lookup(within=PLAN, dpath="{study}/task"),
        device=lookup(within=PLAN, dpath="{study}/device"),
        options=lookup(within=PLAN, dpath="{study}/cells/{cell}/options"),
        training=lookup(within=PLAN, dpath="{study}/cells/{cell}/training"),
        configurations=lookup(
            within=PLAN, dpath="{study}/cells/{cell}/search/configurations"
        ),
        settings=lookup(within=PLAN, dpath="{study}/cells/{cell}/search/settings"),
    script:
        "../scripts/search.py"
