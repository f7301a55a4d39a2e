rule data:
    input:
        files=data_files,
    output:
        ensure(DATA, non_empty=True),
    log:
        "logs/data/{study}.log",
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        task=lambda wildcards: PLAN[wildcards.study].task,
        data=lambda wildcards: PLAN[wildcards.study].data.model_dump(),
        code=code_of_data,
    script:
        "../scripts/data.py"
