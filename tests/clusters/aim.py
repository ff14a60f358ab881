"""Which moment is asked for, in which words, and how far the recovery is carried."""

from __future__ import annotations

from dataclasses import dataclass

from tests.clusters.case import Case
from tests.clusters.picture import Picture
from tests.clusters.truth import Mark
from tests.own_cluster import KEEP, PAUSE

CUT, UNDO, DISCARD, CANCEL = "cut over", "undo after the swap", "discard the preview", "cancel the plan"


@dataclass(frozen=True)
class Aim:
    """What is typed, what there has to be afterwards; `mode` answers the plan, `way` says how it ends."""

    when: str
    right: Picture
    mode: str
    way: str
    kind: str


def draw_aim(case: Case, before: Picture) -> Aim:
    """A target among the moments that were noted; `before` is what there is now."""
    dice = case.dice
    mark = dice.one("mark", case.marks)
    kinds = ["time", "lsn", *(["xid"] if mark.xid else []), *(["latest"] if _still(case) else [])]
    kind = dice.one("target", kinds, [{"time": 4, "lsn": 1.5, "xid": 3, "latest": 0.7}[kind] for kind in kinds])
    way = CUT if not _still(case) else dice.one("way", (CUT, UNDO, DISCARD, CANCEL), (16, 3, 1, 0.7))
    right = before if kind == "latest" else mark.picture
    return Aim(_words(mark, kind), right, dice.one("mode", (KEEP, PAUSE)), way, kind)


def _still(case: Case) -> bool:
    """Whether nothing is written any more, so that what there is now stays."""
    return not case.has("writers go on until the cut-over")


def _words(mark: Mark, kind: str) -> str:
    return {"time": mark.at, "lsn": f"before lsn {mark.lsn}", "xid": f"before xid {mark.xid}", "latest": "latest"}[kind]
