"""Holds what was seen of a round against what has to be; each sentence that comes back is something wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from actions.engine.journal import Entry, Kind, first_broken
from actions.engine.procedure import Act, Outcome
from actions.recoveries.postgres_pitr import PROCEDURE
from actions.steps.postgres.keep_configuration import CUT_OVER
from tests.soak.leftovers import left_over
from tests.soak.seen import Seen
from tests.soak.stillness import too_still
from tests.soak.thread import wrong_in_thread

_ACTS = {i for i, step in enumerate(PROCEDURE.steps) if isinstance(step, Act)}
_ENDS = (Outcome.RECOVERED, Outcome.UNDONE, Outcome.DISCARDED, Outcome.REFUSED)
_UNACKNOWLEDGED = 5


def judge(seen: Seen) -> list[str]:
    """Everything that is wrong, most telling first."""
    return [
        *_data(seen),
        *_end(seen),
        *_chain(seen),
        *_twice(seen),
        *_served_once(seen),
        *too_still(seen.entries, seen.happened, seen.writers),
        *wrong_in_thread(seen.entries, seen.messages),
        *left_over(seen),
        *_others(seen),
    ]


def outcome_of(entries: list[Entry]) -> str:
    """How the run ended; empty where it did not."""
    return next((str(e.data["outcome"]) for e in reversed(entries) if e.kind is Kind.FINISHED), "")


def _data(seen: Seen) -> Iterator[str]:
    for table in sorted({*seen.expected, *seen.found}):
        should, is_there = seen.expected.get(table), seen.found.get(table)
        if should != is_there:
            yield f"data: {table} should be {_spoken(should)}, is {_spoken(is_there)}"
    if seen.truth is not None:
        if not seen.truth.nothing_lost:
            yield f"data: acknowledged messages are missing {seen.truth.missing} or different {seen.truth.different}"
        if len(seen.truth.unacknowledged) >= _UNACKNOWLEDGED:
            yield f"data: messages that nobody acknowledged: {seen.truth.unacknowledged}"


def _spoken(table: tuple[int, str] | None) -> str:
    return f"{table[0]} rows ({table[1][:8]})" if table else "not there"


def _end(seen: Seen) -> Iterator[str]:
    told = list(seen.entries)
    ends = [e for e in told if e.kind is Kind.FINISHED]
    if len(ends) != 1:
        yield f"end: the run has {len(ends)} ends"
        return
    end = str(ends[0].data["outcome"])
    if end not in _ENDS:
        yield f"end: {end} is no end of a recovery"
    if end == Outcome.RECOVERED and not _approved_by_another(told):
        yield "end: recovered, and no second person approved"
    if end == Outcome.UNDONE and not any(e.kind is Kind.UNDO_ASKED for e in told):
        yield "end: undone, and nobody asked for it"
    if end == Outcome.DISCARDED and not any(
        e.kind is Kind.EXPIRED or (e.kind is Kind.ANSWERED and e.data["leads"] != "on") for e in told
    ):
        yield "end: discarded, and nobody chose that"
    if end == Outcome.REFUSED and any(e.kind is Kind.BEGAN for e in told):
        yield "end: refused after something was begun"
    if seen.late:
        yield f"end: the journal grew by {seen.late} entries after its end"


def _approved_by_another(told: list[Entry]) -> bool:
    asker = told[0].data["by"]
    return any(e.kind is Kind.ANSWERED and e.data["option"] == CUT_OVER and e.data["by"] != asker for e in told)


def _chain(seen: Seen) -> Iterator[str]:
    broken = first_broken(seen.entries)
    if broken is not None:
        yield f"journal: entry {broken[0].n}: {broken[1]}"
    if seen.chain:
        yield f"journal: {seen.chain}"


def _twice(seen: Seen) -> Iterator[str]:
    for kind, word in ((Kind.DONE, "done"), (Kind.UNDONE, "taken back")):
        times = Counter(e.step for e in seen.entries if e.kind is kind and e.step in _ACTS)
        for step, number in times.items():
            if number > 1 and step is not None:
                yield f"act: '{PROCEDURE.steps[step].title}' was {word} {number} times"


def _served_once(seen: Seen) -> Iterator[str]:
    """What Docker saw of the live server: as many ends as starts, and no more starts than acts that start it."""
    happened = Counter(one.action for one in seen.happened if one.container == seen.postgres)
    started, ended = happened["start"], happened["die"]
    may = sum(e.kind is Kind.DONE and e.data.get("title") == "start the server" for e in seen.entries)
    may += sum(e.kind is Kind.UNDONE and e.data.get("title") == "stop the old server" for e in seen.entries)
    # The server that an undo stops again may have been started before its act was on the record.
    may += sum(e.kind is Kind.UNDONE and e.data.get("title") == "start the server" for e in seen.entries)
    if outcome_of(list(seen.entries)) == Outcome.RECOVERED and (started, ended) != (1, 1):
        yield f"act: the server was stopped {ended} and started {started} times for one cut-over"
    elif started != ended or started > may:
        yield f"act: the server was stopped {ended} and started {started} times; the journal tells of {may} at most"


def _others(seen: Seen) -> Iterator[str]:
    for run in seen.others:
        yield f"another run began: {run}"
    for broke in seen.broke:
        yield f"the soak itself: {broke}"
