"""The integrity checks as data, and the manual's verdict on their results: Healthy or Needs attention.

The caller runs each SQL with its own time limit; a check that was cancelled is said to be unfinished,
never passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from actions.postgres import integrity_many as many
from actions.postgres import integrity_sql as sql
from actions.postgres.judgement import JUDGES, JudgedLine, State
from actions.postgres.locks import OUT_OF_LOCKS

__all__ = ["ALL", "FULL", "QUICK", "Check", "CheckResult", "JudgedLine", "State", "Verdict", "judge", "judge_one"]


@dataclass(frozen=True)
class Check:
    """One question to the database; ``manual`` is its number in the operations manual, if it has one."""

    name: str
    title: str
    sql: str
    level: Literal["quick", "full"]
    manual: int | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check brought: the JSON value, or why there is none."""

    check: str
    value: Any = None
    error: str = ""
    finished: bool = True
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The answer in the manual's terms, with a line for every check."""

    healthy: bool
    lines: tuple[JudgedLine, ...]
    text: str

    def count(self, state: State) -> int:
        """How many lines have that state."""
        return sum(line.state == state for line in self.lines)


QUICK = (
    Check("table sizes", "database consistency: the largest tables", sql.TABLE_SIZES, "quick", 1),
    Check("constraints", "constraints", sql.CONSTRAINTS, "quick", 5),
    Check("indexes", "indexes", sql.INDEXES, "quick", 6),
    Check("unindexed foreign keys", "foreign keys without an index", sql.UNINDEXED_FOREIGN_KEYS, "quick"),
    Check("disabled triggers", "disabled triggers", sql.DISABLED_TRIGGERS, "quick"),
    Check("checksum failures", "page checksum failures", sql.CHECKSUM_FAILURES, "quick"),
)
FULL = (
    QUICK[0],
    Check("orphaned messages", "orphaned records", sql.ORPHANED_MESSAGES, "full", 2),
    Check("future timestamps", "future timestamps", sql.FUTURE_TIMESTAMPS, "full", 3),
    Check("user counts", "user counts", sql.USER_COUNTS, "full", 4),
    *QUICK[1:],
    Check("files", "files of tables and indexes", sql.FILES, "full"),
    Check("foreign keys", "every declared foreign key", many.FOREIGN_KEYS, "full"),
    Check("sequences", "sequences behind their column", many.SEQUENCES_BEHIND, "full"),
    Check("null keys", "NULL in primary keys", many.NULL_KEYS, "full"),
)
ALL = {check.name: check for check in FULL}


# What keeps a check from being made and says nothing of the data.
_NO_FAULT = {
    OUT_OF_LOCKS: "it needs more locks than the server has room for (max_locks_per_transaction)",
    "55P03": "somebody else holds a lock on a table",
}
_DENIED = "42501"


def judge(results: Iterable[CheckResult], inventory: Iterable[JudgedLine] = ()) -> Verdict:
    """The verdict on all results, and on the comparison with an inventory if there was one."""
    lines = (*(judge_one(result) for result in results), *inventory)
    healthy = bool(lines) and not any(line.state == "attention" for line in lines)
    return Verdict(healthy, lines, _text(healthy, lines))


def judge_one(result: CheckResult) -> JudgedLine:
    """One line for one result."""
    if not result.finished:
        return JudgedLine(result.check, "unfinished", f"{_title(result)}: not finished in time")
    if result.error:
        return _failed(result)
    return JUDGES[result.check](result.value)


def judge_cluster(
    found: Mapping[str, Sequence[CheckResult]],
    own: str,
    about: Sequence[JudgedLine] = (),
    inventory: Sequence[JudgedLine] = (),
) -> Verdict:
    """The verdict on the checks of every database; of another than the site's own, what is amiss and a sum.

    `about` are lines on the databases themselves, such as those that cannot be connected to.
    """
    lines: dict[str, tuple[JudgedLine, ...]] = {name: tuple(map(judge_one, results)) for name, results in found.items()}
    others = [
        replace(line, text=f"{name}: {line.text}", database=name)
        for name in lines
        if name != own
        for line in lines[name]
    ]
    every = (*about, *lines.get(own, ()), *inventory, *others)
    shown = [line for line in others if line.state not in ("ok", "not applicable")]
    sums = [_sum(name, lines[name]) for name in lines if name != own and lines[name]]
    healthy = bool(every) and not any(line.state == "attention" for line in every)
    text = _text(healthy, every, len(lines))
    return Verdict(healthy, (*about, *lines.get(own, ()), *inventory, *shown, *sums), text)


def _sum(database: str, lines: Sequence[JudgedLine]) -> JudgedLine:
    return JudgedLine("database", "ok", f"{database}: {_passed(lines)} checks passed", database)


def _passed(lines: Sequence[JudgedLine]) -> str:
    """For example: 12 of 13. What does not apply to a database is no check of it."""
    asked = [line for line in lines if line.state != "not applicable"]
    return f"{sum(line.state in ('ok', 'warning') for line in asked)} of {len(asked)}"


def unreachable(database: str, said: str) -> JudgedLine:
    """A database that nobody can connect to."""
    text = f"Database {database} cannot be connected to: {' '.join(said.split())[:200]}"
    return JudgedLine("connection", "attention", text, database)


def _failed(result: CheckResult) -> JudgedLine:
    state = result.error.partition(":")[0]
    if state in _NO_FAULT or (state == _DENIED and result.check == "files"):
        why = _NO_FAULT.get(state, "the role may not see files")
        return JudgedLine(result.check, "unfinished", f"{_title(result)}: not checked, {why}")
    # An application that merely resembles the manual's may lack one of its columns.
    if "column" in result.error and "does not exist" in result.error:
        return JudgedLine(result.check, "not applicable", f"{_title(result)}: not applicable to this database")
    return JudgedLine(
        result.check, "attention", f"{_title(result)}: could not be checked ({' '.join(result.error.split())[:160]})"
    )


def _title(result: CheckResult) -> str:
    return ALL[result.check].title if result.check in ALL else result.check


def _text(healthy: bool, lines: tuple[JudgedLine, ...], databases: int = 1) -> str:
    def told(state: State) -> list[str]:
        return [line.text for line in lines if line.state == state]

    if not lines:
        return "Needs attention: nothing was checked."
    if not healthy:
        return f"Needs attention: {'; '.join(told('attention'))}."
    asides = [*told("warning"), *told("unfinished")]
    where = f" in {databases} databases" if databases > 1 else ""
    return f"Healthy: {_passed(lines)} checks passed{where}" + (f"; {'; '.join(asides)}." if asides else ".")
