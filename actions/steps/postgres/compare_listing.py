"""What both servers are asked first: their databases, and the tables and sequences of each that answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from actions.postgres.compare_sql import DIGESTS_IF_FEW, POSITIONS_IF_FEW, SIZES, TABLES
from actions.postgres.databases import DATABASES, Database, parse_databases
from actions.steps.postgres.compare_besides import SUMS
from actions.steps.postgres.compare_sides import Key, Side, read_digest, why
from actions.tools.sql import NoConnection, QueryResult


@dataclass(frozen=True)
class Listing:
    """What one server says of its databases, and of what is in each that answers."""

    databases: Mapping[str, Database]
    told: Mapping[str, Mapping[str, Any]]
    sums: Mapping[str, Sequence[QueryResult]]
    why: Mapping[str, str]


def listing(side: Side) -> tuple[Side, Listing]:
    """The side with the sums and positions that it told of itself, and its listing."""
    queries = [DATABASES, TABLES, SIZES, DIGESTS_IF_FEW, POSITIONS_IF_FEW, *SUMS]
    answers = side.sql.everywhere(side.container, side.server, queries, seconds=side.budget.share(), bare=True)
    listed = next((given[0].value for given in answers.values() if given and given[0].value), ())
    told = {name: {**given[1].value, "sizes": given[2].value} for name, given in answers.items() if given[1].value}
    trouble = {name: _why(given[1]) for name, given in answers.items() if given[1].error}
    sums = {name: given[5:] for name, given in answers.items() if name in told}
    digests, positions = (
        _known({name: answers[name][n].value for name in told}, told, part)
        for n, part in ((3, "tables"), (4, "sequences"))
    )
    side = replace(side, sums={key: read_digest(value) for key, value in digests.items()}, positions=positions)
    return side, Listing({one.name: one for one in parse_databases(listed)}, told, sums, trouble)


def _known(
    values: Mapping[str, Mapping[str, Any] | None], told: Mapping[str, Mapping[str, Any]], part: str
) -> dict[Key, Any]:
    """By name what was answered by oid; a sequence that was never used has no position."""
    names = {(database, str(row[0])): f"{row[1]}.{row[2]}" for database, data in told.items() for row in data[part]}
    return {
        (database, names[database, oid]): value
        for database, found in values.items()
        for oid, value in (found or {}).items()
        if (database, oid) in names
    }


def _why(answer: QueryResult) -> str:
    if isinstance(answer.error, NoConnection):
        return f"it cannot be connected to ({' '.join(answer.error.detail.split())[:160]})"
    return why(answer.error) if answer.error else ""
