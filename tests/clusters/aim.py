"""Which moment is asked for, in which words, and how far the recovery is carried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from actions.steps.postgres.prepared import COMMIT, LEAVE, ROLL_BACK
from tests.clusters.amid import Moment, moment_amid
from tests.clusters.case import FIRST, Case
from tests.clusters.kinds_data import COMMIT_TIMES
from tests.clusters.picture import Picture
from tests.clusters.truth import Mark
from tests.support.own_cluster import KEEP, PAUSE

_PREPARED_IN = "TABLE DATA public.transfers"
CUT, UNDO, DISCARD, CANCEL = "cut over", "undo after the swap", "discard the preview", "cancel the plan"


@dataclass(frozen=True)
class Aim:
    """What is typed, what there has to be afterwards; `mode` answers the plan, `way` says how it ends.

    Either all that there was is known (`right`), or what the journals have to hold (`moment`).
    """

    when: str
    right: Picture | None
    mode: str
    way: str
    kind: str
    moment: Moment | None = None
    settling: str = LEAVE
    """What becomes of transactions that are prepared and open at the stop."""

    def answer(self, labels: Sequence[str]) -> str:
        """To a question before that of the cut-over."""
        wanted = (label for label in (self.mode, self.settling) if label in labels)
        return labels[-1] if self.way == CANCEL else next(wanted, labels[0])

    def settled(self) -> Picture | None:
        """What there has to be once the prepared transactions are settled as was chosen."""
        if self.right is None or self.settling == LEAVE or not self.right.prepared:
            return self.right
        objects = {name: dict(told) for name, told in self.right.objects.items()}
        if self.settling == COMMIT:
            rows = objects[FIRST][_PREPARED_IN]
            objects[FIRST][_PREPARED_IN] = tuple(sorted((*rows, "prepared")))
        return replace(self.right, objects=objects, prepared=())


def draw_aim(case: Case, before: Picture) -> Aim:
    """A target among the moments that were noted; `before` is what there is now."""
    dice = case.dice
    mode = dice.one("mode", (KEEP, PAUSE))
    moment = _moment(case)
    if moment is not None:
        return Aim(moment.at, None, mode, CUT, "amid", moment, LEAVE)
    mark = dice.one("mark", case.marks)
    kinds = ["time", "lsn", *(["xid"] if mark.xid else []), *(["latest"] if _still(case) else [])]
    kind = dice.one("target", kinds, [{"time": 4, "lsn": 1.5, "xid": 3, "latest": 0.7}[kind] for kind in kinds])
    way = CUT if not _still(case) else dice.one("way", (CUT, UNDO, DISCARD, CANCEL), (16, 3, 1, 0.7))
    right = before if kind == "latest" else mark.picture
    return Aim(_words(mark, kind), right, mode, way, kind, None, dice.one("settling", (LEAVE, COMMIT, ROLL_BACK)))


def _moment(case: Case) -> Moment | None:
    """For some of those whose commits have times."""
    if not case.has(COMMIT_TIMES) or case.down or not case.dice.chance("amid", 0.6):
        return None
    return moment_amid(case, case.marks[0].at, case.dice.of("amid where").random())


def _still(case: Case) -> bool:
    """Whether nothing is written any more, so that what there is now stays."""
    return not case.has("writers go on until the cut-over")


def _words(mark: Mark, kind: str) -> str:
    return {"time": mark.at, "lsn": f"before lsn {mark.lsn}", "xid": f"before xid {mark.xid}", "latest": "latest"}[kind]
