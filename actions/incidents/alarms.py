"""What Mayday itself pages about now: a pure function of plain facts. What is not in its answer is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from actions.incidents.pagerduty_events import OWN

FAILED_FOR = timedelta(minutes=5)
"""A run that failed and nobody answered."""
APPROVAL_FOR = timedelta(minutes=10)
"""A question that waits for a second person, or an instruction for whoever does it by hand. It is for the next level at
once: the first has asked for it, most likely. Where that level could not be paged, there is a second, graver page after
as long again."""
NEXT_LEVEL = 2
ALONE_FOR = timedelta(minutes=15)
"""So long after its end a run that went on without a second person is still paged about."""
NO_WORKER_FOR = timedelta(minutes=1)
LATE_AT = 0.8
"""The share of a promised recovery time after which a run must be on track."""


@dataclass(frozen=True)
class RunFacts:
    """One run that has not ended.

    `failed_at` and `asked_at` are set while it waits for people: after a failure, for a second person. With `by_hand`
    it is an instruction that waits instead, for somebody who does it.
    `ahead` is how long the present act still takes, None where nobody knows. `serving` says that the
    recovered data is in service, so that the promise is kept whatever still follows. `alone` is who went on
    without a second person, and why; such a run is told of for a while after its end too. `lifted` says that
    the next level was paged for the question.
    """

    run: str
    what: str
    requested_at: datetime
    rto: timedelta | None = None
    failed_at: datetime | None = None
    failure: str = ""
    asked_at: datetime | None = None
    question: str = ""
    by_hand: bool = False
    ahead: timedelta | None = None
    serving: bool = False
    alone: str = ""
    lifted: bool = False


@dataclass(frozen=True)
class SiteFacts:
    """One site. `worker_at` is when a worker of it last said that it lives, None where none ever did.

    `unrecoverable` says of each server of which nothing, or nothing recent, could be recovered, why; by its service,
    which is empty for the site's own.
    """

    name: str
    worker_at: datetime | None = None
    unrecoverable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """All that is looked at."""

    now: datetime
    sites: tuple[SiteFacts, ...] = ()
    runs: tuple[RunFacts, ...] = ()


@dataclass(frozen=True)
class Alarm:
    """Something to page about. The key makes a second page the first, and takes it back.

    With `role` somebody of that role is to be paged alone too. With `run` its incident in PagerDuty is brought to
    `level` of the escalation policy at once, on that run's account; `since` is when the wait began.
    """

    key: str
    summary: str
    severity: str = "critical"
    details: dict[str, str] = field(default_factory=dict)
    role: str = ""
    run: str = ""
    level: int = 1
    since: datetime | None = None


def approval_key(run: str) -> str:
    """The key of the page that a run waits for a second person, or for what is done by hand."""
    return f"{OWN}{run} approval"


def alarms(facts: Facts) -> tuple[Alarm, ...]:
    """Everything that should stand as a page now."""
    of_sites = (alarm for site in facts.sites for alarm in _of_site(site, facts.now))
    return (*of_sites, *(alarm for run in facts.runs for alarm in _of_run(run, facts.now)))


def _of_site(site: SiteFacts, now: datetime) -> Iterator[Alarm]:
    if site.worker_at is not None and now - site.worker_at > NO_WORKER_FOR:
        said = f"No Mayday worker is alive on site {site.name}: no recovery can be carried out."
        yield Alarm(f"{OWN}site {site.name} worker", said, details={"do": "Start one on the host: mayday worker"})
    for service, why in site.unrecoverable.items():
        said = f"Recoverability of site {site.name} is lost: {why}"
        key = f"{OWN}site {site.name} recoverability" + (f" of {service}" if service else "")
        yield Alarm(key, said, details={"do": "Run mayday doctor on the host"})


def _of_run(run: RunFacts, now: datetime) -> Iterator[Alarm]:
    named = {"run": run.run, "do": f"Open its thread, or: mayday show {run.run}"}
    what = f"{run.what} (run {run.run})"
    if run.alone:
        yield Alarm(
            f"{OWN}{run.run} alone", f"{what} goes on without a second person: {run.alone}", details=named, role="cto"
        )
    if run.failed_at is not None and now - run.failed_at >= FAILED_FOR:
        yield Alarm(f"{OWN}{run.run} failed", f"{what} failed, and nobody has answered: {run.failure}", details=named)
    waited = now - run.asked_at if run.asked_at is not None else timedelta()
    if waited >= APPROVAL_FOR:
        yield Alarm(
            approval_key(run.run),
            f"{what} waits for {_awaited(run)}: {run.question}",
            "error",
            named,
            run=run.run,
            level=NEXT_LEVEL,
            since=run.asked_at,
        )
    if waited >= 2 * APPROVAL_FOR and not run.lifted:
        said = f"{what} still waits for {_awaited(run)}, and nobody who was paged has answered: {run.question}"
        yield Alarm(f"{OWN}{run.run} approval again", said, details=named)
    if _late(run, now):
        said = f"{what} has used {int(100 * LATE_AT)} % of its promised recovery time and is not on track."
        yield Alarm(f"{OWN}{run.run} late", said, "error", named)


def _awaited(run: RunFacts) -> str:
    return "something that a person has to do by hand" if run.by_hand else "a second person"


def _late(run: RunFacts, now: datetime) -> bool:
    if run.rto is None or run.serving:
        return False
    spent = now - run.requested_at
    on_track = run.ahead is not None and spent + run.ahead <= run.rto
    return spent >= LATE_AT * run.rto and not on_track
