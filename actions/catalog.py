"""The catalog: every procedure, checked when it is imported. A new recovery or errand is one line here."""

from __future__ import annotations

from actions.engine.errors import RecoveryError
from actions.engine.injection import check
from actions.engine.procedure import Procedure
from actions.errands import (
    pagerduty_acknowledge,
    pagerduty_escalate,
    pagerduty_lift,
    pagerduty_page,
    pagerduty_resolve,
    status_page_publish,
)
from actions.recoveries import (
    postgres_backup,
    postgres_failover,
    postgres_fence,
    postgres_pitr,
    postgres_replication,
    postgres_rows,
    postgres_standby,
    postgres_switchover,
    postgres_verify,
    postgres_window,
)
from actions.tools.registry import ERRAND_TOOLS, TOOLS

CATALOG: tuple[Procedure, ...] = (
    postgres_pitr.PROCEDURE,
    postgres_backup.PROCEDURE,
    postgres_verify.PROCEDURE,
    postgres_window.PROCEDURE,
    postgres_replication.PROCEDURE,
    postgres_failover.PROCEDURE,
    postgres_switchover.PROCEDURE,
    postgres_fence.PROCEDURE,
    postgres_standby.PROCEDURE,
    postgres_rows.PROCEDURE,
)
ERRANDS: tuple[Procedure, ...] = (
    pagerduty_acknowledge.PROCEDURE,
    pagerduty_resolve.PROCEDURE,
    pagerduty_escalate.PROCEDURE,
    pagerduty_lift.PROCEDURE,
    pagerduty_page.PROCEDURE,
    status_page_publish.PROCEDURE,
)

for _procedure in CATALOG:
    check(_procedure, TOOLS)
for _procedure in ERRANDS:
    check(_procedure, ERRAND_TOOLS)


def known(name: str) -> Procedure | None:
    """The procedure of that name; None where this version does not know it."""
    return next((procedure for procedure in (*CATALOG, *ERRANDS) if procedure.name == name), None)


def find(name: str) -> Procedure:
    """The procedure of that name.

    Raises:
        RecoveryError: this version does not know it.
    """
    if procedure := known(name):
        return procedure
    raise RecoveryError(
        f"There is no procedure '{name}' in this version.",
        code="MD-RUN-001",
        hint="Carry the run out with the version that it began with.",
    )
