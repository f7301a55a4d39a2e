rule train:
    input:
        unpack(train_input),
    output:
        metrics=ensure(
            f"results/runs/{{study}}/{RUN}/seeds={{seeds}}/metrics.parquet",
            non_empty=True,
        ),
        examples=ensure(
            f"results/runs/{{study}}/{RUN}/seeds={{seeds}}/examples.parquet",
            non_empty=True,
        ),
        run=ensure(
            f"results/runs/{{study}}/{RUN}/seeds={{seeds}}/run.json", non_empty=True
        ),
    log:
        f"logs/train/{{study}}/{RUN}/seeds={{seeds}}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        **GPU,
        attempt=which_attempt,
        mem_mb=MEMORY_MB,
        runtime=360,
        # Nothing is written to a temporary folder. The default would be worked out for every job.
        tmpdir=None,
    params:
        settings=train_settings,
    script:
        "../scripts/train.py"
