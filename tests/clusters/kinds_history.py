"""Oddities of what came before: how base backups were taken, what failed, earlier recoveries."""

from __future__ import annotations

import time
from collections.abc import Callable

from actions.engine.status import state_of
from tests.clusters.carry import previewed, undone_after_swap
from tests.clusters.case import Case
from tests.clusters.kind import Kind
from tests.support.own_cluster import APPROVER

_BASES = "/backups/postgres/base"


def _mayday(case: Case) -> None:
    case.did(f"took {case.cluster.base()}")


def _by_hand(*arguments: str) -> Callable[[Case], None]:
    def hook(case: Case) -> None:
        # On the server's own machine a plain one would lie where the tablespaces lie.
        packed = ["-F t"] if case.has("a tablespace before the base") and "-F t" not in " ".join(arguments) else []
        args = " ".join([*case.cluster.psql, *arguments, *packed])
        number = int(case.inside(f"ls {_BASES} | wc -l"))
        case.inside(f"pg_basebackup {args} -U '{case.cluster.site.user}' -D {_BASES}/hand{number} -c fast")
        case.did(f"took a base backup by hand ({args})")
        # Its end is known to the second, and moments of that second are refused.
        time.sleep(1.2)

    return hook


def _two(case: Case) -> None:
    _mayday(case)
    case.sql("insert into notes values ('between two base backups', 5)")
    case.cluster.switch()
    _by_hand("-X stream")(case)


def _leftover(case: Case) -> None:
    """What a base backup leaves that was killed half way: files, no manifest."""
    case.inside(
        f"mkdir -p {_BASES}/base_broken/base/1 && echo 15 >{_BASES}/base_broken/PG_VERSION && "
        f"mkdir {_BASES}/empty && head -c 5000 /dev/zero >{_BASES}/old.tar.gz"
    )


def _earlier(times: int) -> Callable[[Case], None]:
    """Recoveries that were carried through: a timeline more for each."""

    def hook(case: Case) -> None:
        for n in range(times):
            case.sql(f"insert into notes values ('before recovery {n}', {n})")
            when = case.cluster.now()
            case.sql("update accounts set owner = 'an older mistake'; insert into notes values ('goes', 1)")
            run = case.cluster.cut_over(previewed(case, when).id)
            assert state_of(run) == "recovered", case.cluster.story(run.id)
            case.sql(f"insert into notes values ('after recovery {n}', {n})")
            case.did(f"recovered to {when}")
            case.sweep()

    return hook


def _discarded(case: Case) -> None:
    """A recovery that was looked at and given up."""
    when = case.cluster.now()
    case.sql("insert into notes values ('stays', 3)")
    run = previewed(case, when)
    case.cluster.answer(run.id, "Discard", APPROVER)
    case.did(f"looked at a recovery to {when} and gave it up")


def _undone(case: Case) -> None:
    """A recovery that was swapped in and taken back: its timeline is in the archive, and nobody is on it."""
    when = case.cluster.now()
    case.sql("insert into notes values ('stays too', 4)")
    run = undone_after_swap(case, when)
    assert state_of(run) == "undone", case.cluster.story(run.id)
    case.did(f"recovered to {when} and undid it")


HISTORY = (
    Kind("base by Mayday", "base", 4, based=_mayday),
    Kind("base by hand, plain", "base", 1, based=_by_hand("-X stream")),
    Kind("base by hand, without WAL", "base", 1, based=_by_hand("-X none")),
    Kind("base by hand, tar", "base", 0.7, based=_by_hand("-F t -X stream")),
    Kind("base by hand, tar.gz", "base", 0.7, based=_by_hand("-F t -z -X stream")),
    Kind("two bases", "base", 1, based=_two),
    Kind("leftovers of base backups", share=0.15, filled=_leftover),
    Kind("no earlier recovery", "earlier", 5),
    Kind("one earlier recovery", "earlier", 1, based=_earlier(1)),
    Kind("two earlier recoveries", "earlier", 0.5, based=_earlier(2)),
    Kind("a recovery that was given up", "earlier", 0.7, based=_discarded),
    Kind("a recovery that was undone", "earlier", 0.8, based=_undone),
)
