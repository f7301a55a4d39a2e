"""What Snakemake's main process itself does: it is alone in its folder."""

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from rnncells.jobs import main_process

# The jobs on a cluster read these files too, while their main process is at work.
if workflow.is_main_process and (note := main_process.clear_the_way()):
    logger.warning(note)


onstart:
    if reason := main_process.stay_alone():
        raise WorkflowError(reason)
    main_process.interrupt_once()
