rule trajectories:
    input:
        file=lambda wildcards: PLAN[wildcards.study]["data"]["file"] or [],
    output:
        ensure(TRAJECTORIES, non_empty=True),
    log:
        "logs/trajectories/{study}.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        data=of_study("data"),
        code=code("trajectories", "rnncells.tasks.trajectories"),
    script:
        "../scripts/trajectories.py"
