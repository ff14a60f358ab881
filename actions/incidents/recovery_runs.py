"""Which runs of an incident count as recoveries: for PagerDuty, the status page, and whoever asks what was done."""

from __future__ import annotations

from actions.engine.lanes import Lane
from actions.engine.procedure import Procedure, Risk


def is_recovery(procedure: Procedure | None) -> bool:
    """Whether a run of it changes a service to bring it back, so that people outside may hear of it.

    What looks, verifies, backs up or drills brings nothing back. Of a procedure that is not known here nobody could say
    what it did.
    """
    return procedure is not None and procedure.lane is Lane.RECOVERY and procedure.risk is not Risk.READS
