"""The catalog: every procedure, checked when it is imported. A new recovery is one line here."""

from __future__ import annotations

from actions.engine.errors import RecoveryError
from actions.engine.procedure import Procedure
from actions.engine.wiring import check
from actions.recoveries import postgres_backup, postgres_pitr, postgres_verify, postgres_window
from actions.tools import TOOLS

CATALOG: tuple[Procedure, ...] = (
    postgres_pitr.PROCEDURE,
    postgres_backup.PROCEDURE,
    postgres_verify.PROCEDURE,
    postgres_window.PROCEDURE,
)

for _procedure in CATALOG:
    check(_procedure, TOOLS)


def find(name: str) -> Procedure:
    """The procedure of that name.

    Raises:
        RecoveryError: this version does not know it.
    """
    for procedure in CATALOG:
        if procedure.name == name:
            return procedure
    raise RecoveryError(f"There is no procedure '{name}' in this version.",
                        hint="Carry the run out with the version that it began with.")  # fmt: skip
