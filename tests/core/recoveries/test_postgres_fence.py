"""The guard: a primary that was replaced and came back is fenced, and never the one that is in service."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from actions.engine.procedure import Outcome
from tests.support.kills import KillCase, carry_on
from tests.support.worlds.company import LEAF, SITE
from tests.support.worlds.pair import Pair, founded, returned

guarded = partial(founded, asked="postgres fence")
CASES = (KillCase("postgres fence", partial(guarded, returned)),)


def test_a_replaced_primary_that_takes_writes_again_is_out_of_its_network_first_and_then_stopped() -> None:
    here = guarded(returned)
    carry_on(here)
    assert here.run().finished is Outcome.DONE, here.run().failure
    assert here.world.writable() == ["standby"]
    assert here.world.lan[SITE.postgres] == ()
    assert "took writes beside the primary" in str(here.store.entries("r1")[-1].data["report"])
    assert [one for one in here.world.changes if "policy" not in one] == [
        "primary: disconnect nself-postgres",
        "primary: stop nself-postgres",
        "primary: mark nself-postgres",
    ]


def standby_still(pair: Pair) -> None:
    returned(pair)
    pair.here.recovering = True


def same_timeline(pair: Pair) -> None:
    returned(pair)
    pair.there.set_dir(LEAF, timeline=2, checkpoint_timeline=2)


def stays_down(pair: Pair) -> None:
    returned(pair)
    pair.there.set_container(SITE.postgres, state="exited")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (standby_still, "is not the primary"),
        (same_timeline, "both write timeline 2"),
        (stays_down, "there is nothing to fence"),
    ],
)
def test_where_it_is_not_certain_which_one_is_right_nothing_is_touched(
    change: Callable[[Pair], None], said: str
) -> None:
    here = guarded(change)
    here.work()
    assert here.run().finished is Outcome.REFUSED
    assert said in str(here.store.entries("r1")[-1].data)
    assert here.world.changes == ()
