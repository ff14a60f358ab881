"""One cluster from its draw to its verdict, in a process of its own, which can be ended when it hangs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import traceback
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from actions.engine.errors import RecoveryError
from actions.engine.status import RunState
from tests.clusters.after import Before, after_giving_up, after_recovery, belongings, left_over, previewed
from tests.clusters.aim import CANCEL, CUT, DISCARD, UNDO, Aim, draw_aim
from tests.clusters.carry import carry
from tests.clusters.case import FIRST, Case
from tests.clusters.dice import Dice
from tests.clusters.kind import Kind, draw, wanted
from tests.clusters.kinds import KINDS
from tests.clusters.setup import set_up
from tests.clusters.truth import picture_now, take_mark
from tests.clusters.verdict import FINE, Outcome, Verdict, judge
from tests.clusters.work import work
from tests.support.own_cluster import own_cluster

TROUBLE = (AssertionError, OSError, ValueError, RecoveryError)
_ENDS = {UNDO: RunState.UNDONE, DISCARD: RunState.DISCARDED, CANCEL: RunState.DISCARDED}
_ORDINARY = {next(k.name for k in KINDS if k.group == group) for group in {k.group for k in KINDS if k.group}}


def one(root: Path, seed: int, index: int, patterns: str, always: bool, keep: bool) -> Verdict:
    """Draw it, set it up, damage it, recover it, judge it; nothing of it is left, unless `keep` and not fine."""
    began = time.monotonic()
    dice = Dice(seed, index)
    kinds = draw(wanted(KINDS, patterns), dice, always)
    with ExitStack() as stack:
        cluster = stack.enter_context(own_cluster(root, f"c{seed}x{index}", database=FIRST))
        case = Case(dice, kinds, cluster)
        verdict = _judged(case, index)
        for session in case.last_things:
            session.close()
        if keep and verdict.outcome not in FINE:
            stack.pop_all()
            kept = (*verdict.why, f"kept: container {cluster.name}, {cluster.folder}")
            _leave(replace(verdict, why=kept, seconds=time.monotonic() - began))
    return replace(verdict, seconds=time.monotonic() - began)


def say(text: str) -> None:
    """A line for whoever reads along."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _leave(verdict: Verdict) -> None:
    """End without any clean-up, as what would clean up is a context that was left open."""
    say(json.dumps(verdict.to_json()))
    os._exit(0)


def odd(kinds: tuple[Kind, ...]) -> tuple[str, ...]:
    """The names of what is not ordinary."""
    return tuple(kind.name for kind in kinds if kind.name not in _ORDINARY)


def _judged(case: Case, index: int) -> Verdict:
    blank = Verdict(index, Outcome.NOT_SET_UP, odd(case.kinds))
    try:
        before = _prepare(case)
        aim = draw_aim(case, before.picture)
    except TROUBLE as trouble:
        return replace(blank, why=(_said(trouble), _log(case)), story=tuple(case.story))
    known = replace(blank, target=f"{aim.kind}: {aim.when}", way=f"{aim.way} ({aim.mode})")
    try:
        outcome, why = _recover(case, aim, before)
    except TROUBLE as trouble:
        outcome, why = Outcome.HARMED, [_said(trouble)]
    return replace(known, outcome=outcome, why=tuple(why), story=tuple(case.story))


def _said(trouble: BaseException) -> str:
    """What went wrong, and on which line of ours."""
    ours = [frame for frame in traceback.extract_tb(trouble.__traceback__) if "clusters" in frame.filename]
    detail = getattr(trouble, "detail", "")
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}: {trouble!s:.4000} {detail}"


def _log(case: Case) -> str:
    """The end of the server's log, for whoever looks into why it is not there."""
    argv = ["docker", "logs", "--tail", "12", case.cluster.name]
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def _prepare(case: Case) -> Before:
    set_up(case)
    writers = work(case)
    if case.has("writers go on until the cut-over"):
        before = Before(take_mark(case).picture, belongings(case))
        case.marks.pop()
    else:
        writers.stop()
        before = Before(picture_now(case), belongings(case))
    for kind in case.kinds:
        kind.spoiled(case)
    return before


def _recover(case: Case, aim: Aim, before: Before) -> tuple[Outcome, list[str]]:
    carried = carry(case, aim)
    case.did(f"run {carried.run} ended: {carried.state}")
    claims = previewed(case, aim, before, carried)
    if carried.state == RunState.RECOVERED and aim.way == CUT:
        found = [*after_recovery(case, aim, before, carried), *claims]
        return judge(found, carried.shown), list(map(str, found))
    # Where writers go on there is no state to come back to that was noted.
    found = list(left_over(case)) if not _was_noted(case) else after_giving_up(case, before)
    if found or carried.undo_trouble:
        return Outcome.HARMED, [carried.trouble, carried.undo_trouble, *map(str, found)]
    if carried.state == _ENDS.get(aim.way):
        return (Outcome.WRONG if claims else Outcome.RIGHT), list(map(str, claims))
    if carried.state == RunState.REFUSED:
        known = any(re.search(pattern, carried.trouble) for kind in case.kinds for pattern in kind.refusals)
        return Outcome.REFUSED_AS_KNOWN if known else Outcome.REFUSED, [carried.trouble]
    return Outcome.FAILED, [f"{carried.state}: {carried.trouble}"]


def _was_noted(case: Case) -> bool:
    return not case.has("writers go on until the cut-over")
