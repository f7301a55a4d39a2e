"""What the Snakemake process itself does: alone in its folder, and clear about failures."""

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from rnncells.jobs import main_process as head

# The jobs on a cluster read these files too, while their head is at work.
if workflow.is_main_process and (note := head.clear_the_way()):
    logger.warning(note)


onstart:
    if reason := head.stay_alone():
        raise WorkflowError(reason)


onerror:
    jobs = [job for job in workflow.scheduler.failed if not job.is_group()]
    if failed := sorted({file for job in jobs for file in job.log}):
        logger.error(
            f"\nThe logs of the failed jobs end so:\n{head.ends_of_logs(failed)}\n"
        )
    if printed := [
        log for job in jobs for log in head.slurm_logs(job.name, job.wildcards)
    ]:
        errors = head.ends_of_logs(sorted(printed), containing="error:")
        logger.error(f"What SLURM says about them:\n{errors}\n")
