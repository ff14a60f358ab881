"""A moment at which nobody was held: among commits of several sessions that come within milliseconds of each other.

What has to be there is told by the commit times that the server itself keeps. Sessions note their time shortly before
their record's place in WAL is known, so two that commit at once may lie in WAL the other way round. A recovery stops
before the first record that is too late: nothing later than the moment may be there, and of what is not later only
what the other sessions committed in that same instant may be missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.clusters.case import Case
from tests.clusters.picture import Difference

_ENTRIES = """
select json_object_agg(id, to_char(pg_xact_commit_timestamp(xmin) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
from journal
"""
_THERE = "select coalesce(json_agg(id), '[]') from journal"


@dataclass(frozen=True)
class Moment:
    """A time, and when each row of the journals was committed, by database."""

    at: str
    entries: Mapping[str, Mapping[int, str]]


def moment_amid(case: Case, after: str, share: float) -> Moment | None:
    """A moment in the same instant as one of the commits since `after`, so far along; None where there are too few."""
    entries = {name: _entries(case, name) for name in sorted(case.written_to & set(case.databases()))}
    times = sorted(at for told in entries.values() for at in told.values() if at > after)
    return Moment(times[int(share * (len(times) - 1))], entries) if len(times) > 20 else None


def _entries(case: Case, database: str) -> dict[int, str]:
    return {int(number): at for number, at in (json.loads(case.sql(_ENTRIES, database) or "null") or {}).items() if at}


def against_journal(case: Case, moment: Moment) -> Iterator[Difference]:
    """What a recovered server has too much or too little."""
    for database, entries in moment.entries.items():
        if database in case.databases():
            there = json.loads(case.sql(_THERE, database))
            yield from journal_differences(database, moment.at, entries, there, case.sessions)


def journal_differences(
    database: str, at: str, entries: Mapping[int, str], there: Iterable[int], sessions: int
) -> Iterator[Difference]:
    """`sessions` is how many wrote: that many may have committed in the same instant."""
    seen = set(there)
    late = sorted(number for number in seen if entries.get(number, "~") > at)
    missing = [number for number, when in entries.items() if when <= at and number not in seen]
    if late:
        yield Difference(database, "journal", f"has rows that were committed after {at}: {late[:5]}")
    if len(missing) > sessions:
        yield Difference(database, "journal", f"lacks {len(missing)} rows committed until {at}: {sorted(missing)[:5]}")
