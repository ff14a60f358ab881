"""One round: damage, request, faults, answers, healing, judgement."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from actions.engine.errors import RecoveryError
from lab.company import clock
from tests.clusters.dice import Dice
from tests.soak.aim import LATEST, LSN, MOMENT, XID, Aim, draw_aim
from tests.soak.chaos import Chaos, Struck
from tests.soak.damage import Damage, damage, prepare
from tests.soak.judge import judge, outcome_of
from tests.soak.keep import keep
from tests.soak.look import leavings, look
from tests.soak.people import People
from tests.soak.place import Place
from tests.soak.schedule import by_itself, draw_faults
from tests.soak.seen import Seen
from tests.soak.thaw import is_stuck, thaw
from tests.soak.verdict import Verdict

ASKED_WITHIN = 240.0
ENDS_WITHIN = 600.0
"""Seconds in which a run ends once all faults are over; many times what it takes, as the machine may be busy."""
_AT_MOST = 1200.0


@dataclass
class Round:
    """One round of a soak, and what is known of it so far."""

    place: Place
    dice: Dice
    number: int
    aim: Aim = field(init=False)
    run: str = ""
    seen: Seen | None = None

    def __post_init__(self) -> None:
        self.aim = draw_aim(self.dice)
        self.chaos = Chaos(self.place, draw_faults(self.dice))
        self.people = People(self.place, self.aim)

    def play(self) -> Verdict:
        """From the damage to the verdict; whatever breaks in it makes it a wrong one."""
        began, start = clock(), time.monotonic()
        try:
            wrong = self._played()
        except (AssertionError, OSError, KeyError, ValueError, RecoveryError) as broke:
            self.chaos.heal()
            wrong = [f"the soak itself: {broke!r} {getattr(broke, 'detail', '')}", traceback.format_exc()]
        entries = self.place.store.entries(self.run) if self.run else []
        verdict = Verdict(
            self.number, self.aim, outcome_of(entries), self.chaos.struck, wrong, time.monotonic() - start
        )
        if wrong:
            verdict = replace(verdict, kept=keep(self, verdict, began))
        return verdict

    def _played(self) -> list[str]:
        place = self.place
        prepare(place.lab, self.number)
        time.sleep(2)
        before, known, began = leavings(place), set(place.store.runs()), clock()
        harm = damage(place.lab, self.aim.damage)
        time.sleep(1)
        self.chaos.start()
        self.run = self.people.ask(words_of(self.aim, harm), ASKED_WITHIN)
        if not self.run:
            self.chaos.heal()
            return ["end: nobody could ask for a recovery"]
        self.chaos.of(self.run)
        ended = self._goes_on(lambda: self.chaos.spent, _AT_MOST) or self._goes_on(lambda: False, ENDS_WITHIN / 2)
        self._heal()
        if not ended and not self._goes_on(lambda: False, ENDS_WITHIN):
            return [f"end: the run does not end; it is at entry {place.store.run(self.run).last}"]
        self.seen = look(place, self.run, harm, self.aim.target != LATEST, before, began, known)
        if self.aim.late_undo:
            self.seen = replace(self.seen, late=self._undone_too_late())
        self.seen = replace(self.seen, broke=[*self.seen.broke, *self.chaos.broke])
        return judge(self.seen)

    def _goes_on(self, enough: Callable[[], bool], seconds: float) -> bool:
        """People see to the run; whether it ended before it was enough."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not enough():
            if self.people.see_to(self.run):
                return True
        return False

    def _heal(self) -> None:
        self.chaos.heal()
        for name, ident in self.place.idents.items():
            if is_stuck(ident):
                began = clock()
                thaw(ident)
                self.chaos.struck.append(Struck(by_itself(name), began, clock(), "thawed by hand"))
        for part in ("worker-2", "bot-2"):
            self.place.supervisor.leave(part)
        for part in ("worker-2", "bot-2"):
            self.place.supervisor.gone(part)
        with suppress(RecoveryError):
            self.place.room.wait_for_bot(90)

    def _undone_too_late(self) -> int:
        last = self.place.store.run(self.run).last
        self.people.undo_too_late(self.run)
        time.sleep(3)
        return self.place.store.run(self.run).last - last


def words_of(aim: Aim, harm: Damage) -> str:
    """What is typed for that target."""
    return {MOMENT: harm.moment, XID: f"before xid {harm.xid}", LSN: f"before lsn {harm.lsn}", LATEST: "latest"}[
        aim.target
    ]
