"""The integrity checks on a server, live or clone, and the verdict in the manual's terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actions.engine.errors import RecoveryError
from actions.engine.facts import volatile
from actions.postgres.integrity import FULL, QUICK, Check, CheckResult, Line, judge
from actions.postgres.inventory import parse_contents, parse_inventory
from actions.postgres.inventory_sql import inventory_sql
from actions.postgres.judgement import inventory_lines
from actions.postgres.server import Names, Server
from actions.steps.target import Base
from actions.tools import Answer, Files, Patience, Rates, Sql, SqlTimeout

_FULL_SECONDS = 600.0
# The writers stay paused until these checks are done.
_QUICK_SECONDS = 4.0


@dataclass(frozen=True)
class Finding:
    """One check's line: state is ok, warning, attention, not applicable or unfinished."""

    check: str
    state: str
    text: str


@dataclass(frozen=True)
class Integrity:
    """The verdict and all its lines."""

    healthy: bool
    verdict: str = volatile()
    findings: tuple[Finding, ...] = volatile()
    seconds: float = volatile(default=0.0)

    def says(self) -> str:
        """Healthy or Needs attention, with numbers."""
        return self.verdict


def check_clone(base: Base, server: Server, names: Names, sql: Sql, rates: Rates, patience: Patience) -> Integrity:
    """All checks on the paused clone."""
    began = patience.seconds()
    found = _check(names.clone, FULL, _FULL_SECONDS, server, sql, patience, ())
    rates.note("check", base.bytes, patience.seconds() - began)
    return found


def check_live(server: Server, files: Files, sql: Sql, patience: Patience) -> Integrity:
    """All checks on the live server, and the difference from the newest base backup's inventory."""
    lines = _against_inventory(server, files, sql)
    return _check(server.service, FULL, _FULL_SECONDS, server, sql, patience, lines)


def check_again(server: Server, sql: Sql, patience: Patience) -> Integrity:
    """The checks that take milliseconds whatever the size: all were made on the clone before it took over."""
    return _check(server.service, QUICK, _QUICK_SECONDS, server, sql, patience, ())


def _check(container: str, checks: Sequence[Check], seconds: float, server: Server, sql: Sql,
           patience: Patience, inventory: Sequence[Line]) -> Integrity:  # fmt: skip
    began = patience.seconds()
    answers = sql.values(container, server, [check.sql for check in checks], seconds=seconds)
    verdict = judge(map(_result, checks, answers), inventory)
    findings = tuple(Finding(line.check, line.state, line.text) for line in verdict.lines)
    return Integrity(verdict.healthy, verdict.text, findings, round(patience.seconds() - began, 2))


def _result(check: Check, answer: Answer) -> CheckResult:
    trouble = answer.error
    if trouble is None:
        return CheckResult(check.name, answer.value)
    if isinstance(trouble, SqlTimeout):
        return CheckResult(check.name, finished=False)
    return CheckResult(check.name, error=trouble.detail or trouble.message)


def _against_inventory(server: Server, files: Files, sql: Sql) -> tuple[Line, ...]:
    texts = [found.inventory for found in files.backups(server) if found.inventory]
    if not texts:
        return ()
    try:
        before = max((parse_inventory(text) for text in texts), key=lambda inventory: inventory.stopped_at).contents
        now = sql.values(server.service, server, [inventory_sql()], seconds=_FULL_SECONDS)[0].must()
    except RecoveryError as trouble:
        return (Line("inventory", "unfinished", f"The last inventory could not be compared: {trouble.message}"),)
    return inventory_lines(before, parse_contents(now))
