"""The figures of incidents: a page to its thread, a storm into one thread, the home tab."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

from actions.engine.errors import RecoveryError
from actions.engine.journal import Kind
from actions.engine.status import State
from actions.incidents.deeds import known
from actions.incidents.inbox import ALERT
from lab import company, processes
from lab.bench.figures import Figure
from lab.bench.ground import Ground
from lab.pagerduty import place as pagerduty
from lab.pagerduty.client import PracticePagerDuty

_FOLD_SECONDS = 6.0
"""Shorter than the rounds over the services last, so that every page gets a thread of its own."""
_ALONE = ("postgres", "redis", "minio", "meilisearch", "prometheus", "grafana", "loki")
"""Services that fold with nothing else here."""
_PAGES = 20
_EVERY = 2.0
_STORM = 1000
_A_SECOND = 17.5
_VISITORS = ("oncall", "approver", "dba", "watcher")


def incident_figures(ground: Ground, target: str) -> list[Figure]:
    """All of them. The home tab comes first: only a view that nobody opened before shows when it was made."""
    _fold_briefly(ground)
    return [home_tab(ground), *page_to_thread(ground, target), *Storm(ground).figures()]


def _fold_briefly(ground: Ground) -> None:
    lab, settings = ground.lab, company.settings_file(ground.lab)
    fold = f"[pagerduty]\nfold_minutes = {_FOLD_SECONDS / 60:g}\n"
    settings.write_text(settings.read_text().replace("[pagerduty]\n", fold, 1))
    for part in ("bot", "worker"):
        processes.stop(lab, part)
        company.start_part(lab, part)
    # The room still counts the socket of the bot that has left, until it notices.
    time.sleep(8)
    if not ground.room.wait_for_bot(60):
        raise RecoveryError("The bot did not come back.", detail=processes.log_tail(lab, "bot"), hint="See its log.")


def home_tab(ground: Ground) -> Figure:
    """From opening the home tab until the view stands, for people who never opened it."""
    took = []
    for user in _VISITORS:
        if ground.room.state(user)["home"]:
            raise RecoveryError(f"The home tab of {user} stood before.", hint="Measure on a fresh company.")
        began = time.monotonic()
        view = ground.room.home(user)["view"]
        took.append(time.monotonic() - began if view else float("inf"))
    said = f"median {median(took):.2f} s, longest {max(took):.2f} s"
    return Figure(f"home tab, first opening by {len(took)} people", said, "at most 1 s", max(took) <= 1)


def page_to_thread(ground: Ground, target: str) -> list[Figure]:
    """From the page in PagerDuty to the thread's first message, while recoveries run one after the other."""
    over = threading.Event()
    busy = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as beside:
        recoveries = beside.submit(_recover_until, ground, target, over, busy)
        try:
            told = [_paged(ground, n, busy) for n in range(_PAGES)]
        finally:
            over.set()
        recoveries.result()
    took = sorted(seconds for seconds, _ in told)
    during = sum(worked for _, worked in told)
    p95 = took[int(len(took) * 0.95) - 1]
    what = f"page in PagerDuty to posted thread, {len(took)} pages, {during} of them while a recovery worked"
    said = f"p50 {median(took):.2f} s, p95 {p95:.2f} s, longest {took[-1]:.2f} s"
    return [Figure(what, said, "p95 at most 1 s", p95 <= 1)]


def _recover_until(ground: Ground, target: str, over: threading.Event, busy: threading.Event) -> None:
    while not over.is_set():
        run = ground.ask(target)
        ground.press(run, "Restore, keep serving")
        busy.set()
        ground.rest(run, State.ASKING)
        busy.clear()
        ground.press(run, "Discard")
        ground.rest(run, State.DISCARDED)


def _paged(ground: Ground, n: int, busy: threading.Event) -> tuple[float, bool]:
    """The seconds that one page took, and whether a recovery worked all along."""
    time.sleep(_EVERY)
    store, desk = company.open_store(ground.lab), pagerduty.client(ground.lab)
    worked, before, began = busy.is_set(), set(store.incidents()), time.monotonic()
    [paged] = desk.page(f"Bench page {n}", _ALONE[n % len(_ALONE)])["incidents"]

    def posted() -> bool:
        incident = str(store.note(ALERT, paged) or "")
        if incident in before:
            raise RecoveryError("A page folded into another.", detail=incident, hint="See fold_minutes.")
        return bool(incident and (store.note("post", f"{incident}:1") or {}).get("ts"))

    _until(posted, 30, f"Page {n} got no thread.")
    return time.monotonic() - began, worked and busy.is_set()


def _until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise RecoveryError(otherwise, detail=f"Waited {seconds:.0f} s.", hint="See the bot's log.")
        time.sleep(0.02)


def _send(desk: PracticePagerDuty, due: float) -> list[str]:
    time.sleep(max(0.0, due - time.monotonic()))
    return [str(id) for id in desk.page("Disk is full", "loki")["incidents"]]


@dataclass
class Storm:
    """A thousand alerts of one service within a minute, while somebody answers a run."""

    ground: Ground

    def figures(self) -> list[Figure]:
        """Absorbed into one thread, the webhooks' answers, and what a click loses."""
        calm = self._click()
        time.sleep(_FOLD_SECONDS * 2)
        before = set(company.open_store(self.ground.lab).incidents())
        began = time.monotonic()
        with ThreadPoolExecutor(max_workers=32) as pool:
            # One client for all: a thousand handshakes would take the machine's time from the bot.
            desk = pagerduty.client(self.ground.lab)
            pages = [pool.submit(_send, desk, began + n / _A_SECOND) for n in range(_STORM)]
            time.sleep(10)
            clicked = self._click()
            paged = [id for page in pages for id in page.result()]
        sent = time.monotonic() - began
        absorbed = self._absorbed(paged, before, began, sent)
        slower = clicked - calm
        said = f"{clicked:.2f} s, otherwise {calm:.2f} s"
        late = Figure("click on a run's question, in the storm", said, "at most 2 s more", slower <= 2)
        return [absorbed, self._answered(set(paged)), late]

    def _click(self) -> float:
        """From the click on a run's question to its entry in the journal."""
        run = self.ground.ask("30s ago")
        began = time.time()
        self.ground.press(run, "Cancel")
        self.ground.rest(run, State.DISCARDED)
        told = company.open_store(self.ground.lab).entries(run)
        return float(next(e.at for e in told if e.kind is Kind.ANSWERED).timestamp() - began)

    def _absorbed(self, paged: list[str], before: set[str], began: float, sent: float) -> Figure:
        """When the thread's header says how many they are; then each is looked for in the journal."""
        store, room = company.open_store(self.ground.lab), self.ground.room
        _until(lambda: bool(store.note(ALERT, paged[0])), 30, "The storm opened no incident.")
        name = str(store.note(ALERT, paged[0]))

        def whole() -> bool:
            time.sleep(0.2)
            ts = str((store.note("post", f"{name}:1") or {}).get("ts") or "")
            return bool(ts) and f"{_STORM} alerts" in "\n".join(room.thread(ts)["messages"][0]["lines"])

        _until(whole, 180, f"The header never said {_STORM} alerts.")
        took, held = time.monotonic() - began, known(store, name)
        threads = len(set(store.incidents()) - before)
        exact = held.count == len(held.alerts) == _STORM and set(held.alerts) == set(paged) and threads == 1
        said = f"{took:.0f} s, {threads} thread, count {held.count}" + ("" if exact else ", NOT those that were sent")
        what = f"{_STORM} alerts sent in {sent:.0f} s, absorbed into one thread"
        return Figure(what, said, "at most 90 s, none lost or doubled", exact and took <= 90 and sent <= 60)

    def _answered(self, paged: set[str]) -> Figure:
        """How long the bot took to answer the webhooks, as the practice PagerDuty saw it."""
        told = pagerduty.client(self.ground.lab).deliveries()
        took = sorted(float(one["ms"]) for one in told if one["incident"] in paged)
        p99 = took[int(len(took) * 0.99) - 1]
        said = f"p50 {median(took):.0f} ms, p99 {p99:.0f} ms"
        return Figure(f"webhook answered in the storm, {len(took)} tries", said, "p99 at most 200 ms", p99 <= 200)
