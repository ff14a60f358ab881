"""Lays a timetable of faults over a run: each in a thread of its own, those of one place one after the other."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from actions.engine.journal import Kind
from tests.soak.faults import MISSED, fault_on
from tests.soak.place import Place
from tests.soak.schedule import Fault

_LOOK_EVERY = 0.02
_BEGINS = (Kind.BEGAN, Kind.UNDO_BEGAN)


@dataclass(frozen=True)
class Struck:
    """A fault that was on, with what is told of it."""

    fault: Fault
    began: datetime
    ended: datetime
    told: str

    @property
    def missed(self) -> bool:
        return self.told.startswith(MISSED)

    def says(self) -> str:
        return f"{self.began:%H:%M:%S.%f} to {self.ended:%H:%M:%S}: {self.fault.says()}: {self.told}"


class Chaos:
    """The faults of one round. They begin once the request is made, and stop when the run has ended."""

    def __init__(self, place: Place, faults: Sequence[Fault]) -> None:
        self._place = place
        self._over = threading.Event()
        self._began = 0.0
        self._run = ""
        self._seen: set[str] = set()
        self._places: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._threads = [threading.Thread(target=self._strike, args=(fault,), daemon=True) for fault in faults]
        self._threads.append(threading.Thread(target=self._follow, daemon=True))
        self.struck: list[Struck] = []
        self.broke: list[str] = []

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def of(self, run: str) -> None:
        """Which run it is about, once that is known."""
        self._run = run

    def heal(self) -> None:
        """No fault begins any more; those that are on are taken back."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def spent(self) -> bool:
        """Whether all of them have been, or have no occasion left."""
        return not any(thread.is_alive() for thread in self._threads[:-1])

    def _follow(self) -> None:
        """Which acts have begun; looked at often, as the worst instants are short."""
        last = 0
        while not self._over.wait(_LOOK_EVERY):
            if self._run:
                for entry in self._place.store.entries(self._run, last):
                    last = entry.n
                    if entry.kind in _BEGINS:
                        self._seen.add(str(entry.data.get("title")))

    def _strike(self, fault: Fault) -> None:
        if not self._comes(fault):
            return
        with self._places[fault.place]:
            if self._over.is_set():
                return
            began = datetime.now(UTC)
            try:
                with fault_on(self._place, fault, self._run) as told:
                    if not told.startswith(MISSED):
                        self._over.wait(fault.lasts)
                self.struck.append(Struck(fault, began, datetime.now(UTC), told))
            except Exception as broke:  # noqa: BLE001 - whatever it is, the round is not sound.
                self.broke.append(f"{fault.says()}: {broke!r}")

    def _comes(self, fault: Fault) -> bool:
        """Wait for its moment; False where the run is over before."""
        if not fault.step:
            return not self._over.wait(max(0.0, self._began + fault.after - time.monotonic()))
        while fault.step not in self._seen:
            if self._over.wait(_LOOK_EVERY):
                return False
        return not self._over.wait(fault.after)
