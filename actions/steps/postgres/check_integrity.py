"""The integrity checks of every database of a server, live or clone, and the verdict in the manual's terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actions.engine.facts import volatile
from actions.engine.procedure import Sheet
from actions.postgres.databases import DATABASES, Database, parse_databases
from actions.postgres.integrity import FULL, QUICK, Check, JudgedLine, judge_cluster, unreachable
from actions.postgres.server import Server
from actions.steps.postgres.ask_integrity import results_of
from actions.steps.postgres.holdings import against_inventory
from actions.steps.postgres.target import Base
from actions.tools.names import Names
from actions.tools.polling import Polling
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import NoConnection, QueryResult, Sql, SqlTimeout
from actions.tools.throughput import Throughput
from actions.wording import counted

_FULL_SECONDS = 600.0
# The writers stay paused until these checks are done.
_QUICK_SECONDS = 4.0
_MARKS = {"attention": "needs attention", "warning": "warning", "unfinished": "not finished"}


@dataclass(frozen=True)
class IntegrityFinding:
    """One check's line: state is ok, warning, attention, not applicable or unfinished."""

    check: str
    state: str
    text: str
    database: str = ""


@dataclass(frozen=True)
class Integrity:
    """The verdict and all its lines."""

    healthy: bool
    verdict: str = volatile()
    findings: tuple[IntegrityFinding, ...] = volatile()
    seconds: float = volatile(default=0.0)

    def says(self) -> str:
        """Healthy or Needs attention, with numbers."""
        return self.verdict

    def brief(self) -> str:
        """The verdict with how many warnings instead of their words; in full where something is amiss."""
        if not self.healthy:
            return self.verdict
        warnings = sum(finding.state == "warning" for finding in self.findings)
        said = self.verdict.partition("; ")[0].rstrip(".")
        return f"{said}, {counted(warnings, 'warning')}" if warnings else said


def check_clone(
    base: Base, server: Server, names: Names, sql: Sql, throughput: Throughput, polling: Polling
) -> Integrity:
    """All checks on the paused clone."""
    began = polling.seconds()
    found = _check(names.clone, FULL, _FULL_SECONDS, server, sql, polling, ())
    throughput.note("check", base.bytes, polling.seconds() - began)
    return found


def check_live(server: Server, files: PostgresFiles, sql: Sql, polling: Polling) -> Integrity:
    """All checks on the live server, and the difference from the newest base backup's inventory."""
    lines = against_inventory(server, files, sql, polling)
    return _check(server.service, FULL, _FULL_SECONDS, server, sql, polling, lines)


def check_again(server: Server, sql: Sql, polling: Polling) -> Integrity:
    """The checks that take milliseconds whatever the size: all were made on the clone before it took over."""
    return _check(server.service, QUICK, _QUICK_SECONDS, server, sql, polling, ())


def _check(
    container: str,
    checks: Sequence[Check],
    seconds: float,
    server: Server,
    sql: Sql,
    polling: Polling,
    inventory: Sequence[JudgedLine],
) -> Integrity:
    began = polling.seconds()
    answers = sql.everywhere(container, server, [DATABASES, *(check.sql for check in checks)], seconds=seconds)
    left = max(1.0, seconds - (polling.seconds() - began))
    results = results_of(container, server, sql, checks, {name: given[1:] for name, given in answers.items()}, left)
    about = _about(_listed(answers), answers, server.database)
    closed = {line.database for line in about}
    verdict = judge_cluster(
        {name: found for name, found in results.items() if name not in closed}, server.database, about, inventory
    )
    findings = tuple(IntegrityFinding(line.check, line.state, line.text, line.database) for line in verdict.lines)
    return Integrity(verdict.healthy, verdict.text, findings, round(polling.seconds() - began, 2))


def _listed(answers: Mapping[str, Sequence[QueryResult]]) -> tuple[Database, ...]:
    """What the first database that answers says of all of them."""
    told: Any = next((given[0].value for given in answers.values() if given and given[0].value), [])
    return parse_databases(told)


def _about(listed: Sequence[Database], answers: Mapping[str, Sequence[QueryResult]], own: str) -> list[JudgedLine]:
    """A line for each database that was not checked, and why."""
    names = {database.name for database in listed}
    lines = [line for database in listed if (line := _unchecked(database, answers.get(database.name, ())))]
    refused = [_refusal(name, given) for name, given in answers.items() if name not in names]
    lines += [line for line in refused if line]
    if own not in names and not any(line.database == own for line in lines):
        lines.append(JudgedLine("connection", "attention", f"Database {own} does not exist", own))
    return lines


def _unchecked(database: Database, given: Sequence[QueryResult]) -> JudgedLine | None:
    name = database.name
    if database.invalid:
        return unreachable(name, "it is marked invalid, as when its removal (DROP DATABASE) has begun")
    if not database.allows:
        # No cluster lets anybody into template0, so that it stays as initdb made it.
        text = f"Database {name} allows no connections, so it was not checked"
        return JudgedLine("connection", "not applicable", text, name) if name != "template0" else None
    if not database.may:
        return JudgedLine(
            "connection", "unfinished", f"Database {name}: not checked, the role may not connect to it", name
        )
    return _refusal(name, given)


def _refusal(name: str, given: Sequence[QueryResult]) -> JudgedLine | None:
    trouble = given[0].error if given else None
    if isinstance(trouble, NoConnection):
        return unreachable(name, trouble.detail)
    if trouble is not None and not isinstance(trouble, SqlTimeout):
        return unreachable(name, trouble.detail or trouble.message)
    return None


def integrity_sheet(integrity: Integrity) -> Sheet:
    """All lines of the integrity checks."""
    lines = tuple(f"{_MARKS[f.state]}: {f.text}" if f.state in _MARKS else f.text for f in integrity.findings)
    alerts = tuple(f.text for f in integrity.findings if f.check == "connection" and f.state == "attention")
    # Where something is amiss all lines are read; else the verdict says it.
    essential = () if integrity.healthy else None
    return Sheet("Healthy" if integrity.healthy else "Needs attention", (), lines, alerts, essential=essential)
