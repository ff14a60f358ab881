"""How a cluster stands, in words: the same in a sheet, in a terminal and on the home tab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.clock.times import span_words
from actions.control.requests import Subject
from actions.engine.facts import volatile
from actions.postgres.lsn import format_lsn
from actions.steps.postgres.look_at_replication import slot_words
from actions.watch.cluster_status import ClusterStatus
from actions.watch.lag_curve import POINTS, SECONDS, LagPoint, curve, highest
from actions.watch.replication_health import SLOW_ANSWER
from actions.watch.server_probe import ProbeAnswer, ServerRecord
from actions.wording import exact_size

_COARSE = 1024**2


@dataclass(frozen=True)
class ClusterWords:
    """A cluster as people read it: its state in a word, why, and rows of label and text; all empty of one of none."""

    state: str = volatile(default="")
    reasons: tuple[str, ...] = volatile(default=())
    rows: tuple[tuple[str, str], ...] = volatile(default=())

    def says(self) -> str:
        """One line for the thread."""
        return f"the cluster is: {self.state}" if self.state else "it belongs to no cluster of the settings"


def words_of(status: ClusterStatus, now: datetime) -> ClusterWords:
    """All that is known of it, to the second and the byte."""
    verdict = status.verdict
    servers = [(named(who), _server(who, status, now)) for who in status.members.all]
    rows = [*servers, *_lags(status), *_slots(status)]
    return ClusterWords(str(verdict.state), verdict.reasons, tuple(rows))


def steady_words(status: ClusterStatus, now: datetime) -> ClusterWords:
    """The same as coarse as it can be, for a view that is published anew for everybody whenever it changes."""
    servers = [(named(who), _coarsely(who, status, now)) for who in status.members.all]
    lags = [(label, text) for label, text in _lags(status, coarse=True)]
    slots = [
        (label, "lost" if "lost:" in text else "read" if "read now" in text else "not read")
        for label, text in _slots(status)
    ]
    return ClusterWords(str(status.verdict.state), status.verdict.reasons, (*servers, *lags, *slots))


def named(who: Subject) -> str:
    """A server by its name and its site."""
    return f"{who.service} @ {who.site}"


def _server(who: Subject, status: ClusterStatus, now: datetime) -> str:
    record = status.records.get(who)
    if record is None:
        return "never probed"
    said = [_role(who, status, record), *_answer(record)]
    known = record.known
    if known is not None and known.at is not None:
        does = "has replayed up to" if known.standby else "has written up to"
        then = "" if record.probe.replication is not None else " when it was seen last"
        said.append(f"{does} {format_lsn(known.at)} on timeline {known.timeline}{then}")
    said.append(f"last probe {_ago(record.probe.at, now)}")
    return ", ".join(said)


def _coarsely(who: Subject, status: ClusterStatus, now: datetime) -> str:
    record = status.records.get(who)
    if record is None:
        return "never probed"
    if not record.probe.fresh(now):
        return f"not probed since {record.probe.at:%Y-%m-%d %H:%M} UTC"
    slow = ["slow"] if record.probe.latency > SLOW_ANSWER else []
    answers = record.probe.answer is ProbeAnswer.RIGHT
    state = [] if answers else ["does not answer", *([record.probe.container] if record.probe.container else [])]
    return ", ".join([_role(who, status, record), *state, *slow, f"probed every {record.probe.every:g} s"])


def _role(who: Subject, status: ClusterStatus, record: ServerRecord) -> str:
    if record.known is None:
        return "primary by the settings" if who == status.members.primary else "standby by the settings"
    role = "standby" if record.known.standby else "primary"
    return role if record.probe.replication is not None else f"was {role}"


def _answer(record: ServerRecord) -> Iterator[str]:
    probe = record.probe
    if probe.answer is ProbeAnswer.RIGHT:
        yield f"answered in {max(1, round(probe.latency * 1000)):,} ms"
    else:
        yield f"container {probe.container}" if probe.container else "Docker did not answer"
        yield "no answer" if probe.answer is ProbeAnswer.NONE else "no right answer"
        if probe.said:
            yield probe.said
    one = probe.replication.upstream if probe.replication is not None else None
    if one is not None:
        yield "streams" if one.streams else one.status
    elif probe.follows:
        yield "receives nothing"


def _lags(status: ClusterStatus, *, coarse: bool = False) -> Iterator[tuple[str, str]]:
    for who, record in status.records.items():
        if record.points:
            label = "Lag" if len(status.members.standbys) == 1 else f"Lag of {who.service}"
            yield label, _lag(record.points, coarse=coarse)


def _lag(points: tuple[LagPoint, ...], *, coarse: bool) -> str:
    minutes = span_words(timedelta(seconds=POINTS * SECONDS))
    last, top = points[-1].lag, highest(points)
    if coarse and top < _COARSE:
        return f"{curve(points)} less than 1 MB in {minutes}"
    return f"{curve(points)} {exact_size(last)} behind, at most {exact_size(top)} in {minutes}"


def _slots(status: ClusterStatus) -> Iterator[tuple[str, str]]:
    record = status.records.get(status.verdict.primary)
    for slot in record.known.slots if record is not None and record.known is not None else ():
        yield f"Slot {slot.name}", slot_words(slot)


def _ago(at: datetime, now: datetime) -> str:
    return f"{span_words(now - at)} ago"
