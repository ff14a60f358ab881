"""The figures of a storm: a thousand alerts of one service within a minute, while somebody approves a run."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

from actions.engine.status import RunState
from actions.incidents.incident_actions import known
from actions.incidents.take_in_events import ALERT
from lab import company
from lab.bench.approvals import approve, delay, standing
from lab.bench.figure import Figure, percentile
from lab.bench.ground import Ground, until
from lab.bench.pages import alerts
from lab.pagerduty import place as pagerduty
from lab.pagerduty.client import PracticePagerDuty
from lab.slack.limits import Tally

_ALERTS = 1000
_A_SECOND = 17.5
_PRESSED_AFTER = 10.0
_PRESSES, _BETWEEN_PRESSES = 20, 0.5
_TRIGGERED = "incident.triggered"


@dataclass(frozen=True)
class Sent:
    """The alerts that were sent: PagerDuty's ids, when the first was due, and the seconds until the last was taken."""

    paged: tuple[str, ...]
    began: float
    seconds: float


def storm(ground: Ground) -> list[Figure]:
    """Absorbed into one thread, the webhooks' answers, calls refused for their number, what an approval loses."""
    run = standing(ground)
    calm = approve(ground, run)
    ground.rest(run, RunState.RECOVERED)
    run = standing(ground)
    before, calls = set(company.open_store(ground.lab).incidents()), _calls(ground)
    # One client for all: a thousand handshakes would take the machine's time from the bot.
    practice, began = pagerduty.client(ground.lab), time.monotonic()
    with ThreadPoolExecutor(max_workers=32) as pool:
        sending = [pool.submit(_send, practice, began + n / _A_SECOND) for n in range(_ALERTS)]
        time.sleep(_PRESSED_AFTER)
        pressed = _presses(ground, run)
        stormy = approve(ground, run)
        taken = [one.result() for one in sending]
    sent = Sent(tuple(id for id, _ in taken), began, max(at for _, at in taken) - began)
    figures = [_absorbed(ground, sent, before), _answered(practice, sent), _refused(calls, _calls(ground))]
    ground.rest(run, RunState.RECOVERED)
    return [*figures, pressed, delay(calm, stormy)]


def _presses(ground: Ground, run: str) -> Figure:
    """From the press of a button until the person sees what it does: the run's steps, opened again and again."""
    took = []
    for _ in range(_PRESSES):
        took.append(ground.room.click("Steps", "oncall", run).get("seconds") or float("inf"))
        time.sleep(_BETWEEN_PRESSES)
    p95 = percentile(took, 95)
    said = f"p50 {median(took):.2f} s, p95 {p95:.2f} s, longest {max(took):.2f} s"
    return Figure(f"press to visible effect in the storm, {len(took)} presses", said, "p95 at most 1 s", p95 <= 1)


def _send(practice: PracticePagerDuty, due: float) -> tuple[str, float]:
    time.sleep(max(0.0, due - time.monotonic()))
    [paged] = alerts(practice, "Disk is full", "loki")
    return paged, time.monotonic()


def _absorbed(ground: Ground, sent: Sent, before: set[str]) -> Figure:
    """When the thread's header says how many they are; then each is looked for in the journal."""
    store, room = company.open_store(ground.lab), ground.room
    until(lambda: bool(store.note(ALERT, sent.paged[0])), 30, "The storm opened no incident.")
    name = str(store.note(ALERT, sent.paged[0]))

    def whole() -> bool:
        time.sleep(0.2)
        ts = str((store.note("post", f"{name}:1") or {}).get("ts") or "")
        return bool(ts) and f"{_ALERTS} alerts" in "\n".join(room.thread(ts)["messages"][0]["lines"])

    until(whole, 180, f"The header never said {_ALERTS} alerts.")
    took, held = time.monotonic() - sent.began, known(store, name)
    opened = set(store.incidents()) - before
    threads = sum(1 for thread in room.threads() if thread["run"] in opened)
    exact = held.count == len(held.alerts) == _ALERTS and set(held.alerts) == set(sent.paged) and threads == 1
    said = f"{took:.0f} s, {threads} thread, count {held.count}" + ("" if exact else ", NOT those that were sent")
    what = f"{_ALERTS} alerts sent in {sent.seconds:.0f} s, absorbed into one thread"
    met = exact and took <= 90 and sent.seconds <= 60
    return Figure(what, said, "at most 90 s, none lost or doubled", met)


def _answered(practice: PracticePagerDuty, sent: Sent) -> Figure:
    """How long the bot took to answer the webhooks, and with what, as the practice PagerDuty saw it."""
    until(lambda: practice.state(1)["undelivered"] == 0, 60, "Webhooks of the storm are not delivered yet.")
    tries = [one for one in practice.deliveries() if one["type"] == _TRIGGERED and one["incident"] in set(sent.paged)]
    taken = {one["incident"] for one in tries if 200 <= one["status"] < 300}
    took = [float(one["ms"]) for one in tries]
    p99 = percentile(took, 99)
    said = f"p50 {median(took):.0f} ms, p99 {p99:.0f} ms, 2xx for {len(taken)} of {len(sent.paged)} alerts"
    met = p99 <= 200 and taken == set(sent.paged)
    return Figure(f"webhook answered in the storm, {len(took)} tries", said, "p99 at most 200 ms, each with 2xx", met)


def _calls(ground: Ground) -> dict[str, Tally]:
    """How many calls the practice services had so far, and how many they refused for their number."""
    practice = pagerduty.client(ground.lab)
    told = {"Slack": ground.room.health(), "PagerDuty": practice.health()}
    practice.close()
    return {name: Tally(one["calls"], Counter(one["limited"])) for name, one in told.items()}


def _refused(before: dict[str, Tally], after: dict[str, Tally]) -> Figure:
    """The 429s within the storm."""
    refused = {name: after[name].limited - before[name].limited for name in after}
    said = ", ".join(
        f"{name} {sum(refused[name].values())} of {after[name].calls - before[name].calls}" for name in after
    )
    which = ", ".join(sorted({method for counted in refused.values() for method in counted}))
    what = "calls answered with 429 in the storm" + (f" ({which})" if which else "")
    return Figure(what, said, "none", not which)
