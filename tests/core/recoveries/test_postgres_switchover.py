"""The planned switch in memory: nothing is lost by it, or it is not done; Undo works until the promotion."""

from __future__ import annotations

from functools import partial

from actions.engine.procedure import Outcome
from tests.support.kills import KillCase, carry_on, old_or_new
from tests.support.worlds.company import SITE, WRITERS
from tests.support.worlds.pair import Pair, founded
from tests.support.worlds.planned import APPROVER, Company

planned = partial(founded, asked="postgres switchover")


def but_for_what_arrived(before: Company, here: Company, after: Company) -> list[str]:
    """What the standby has received of a stop that was taken back stays with it, as of any other WAL."""
    return [one for one in old_or_new(before, here, after) if not one.startswith("standby dirs")]


CASES = (KillCase("postgres switchover", lambda: planned(lambda pair: None), but_for_what_arrived),)


def test_the_standby_takes_over_with_the_last_record_of_the_primary_and_the_writers_go_on() -> None:
    here = planned(lambda pair: None)
    messages = here.world.there.messages()
    carry_on(here)
    assert here.run().finished is Outcome.DONE, here.run().failure
    assert here.world.writable() == ["standby"]
    assert here.world.here.messages() == messages
    assert here.world.leads_to(SITE.postgres) is here.world.here
    assert all(here.world.there.containers[name].state == "running" for name in WRITERS)
    done = here.world.changes
    assert done.index("primary: pause nself-auth") < done.index("primary: stop nself-postgres")


def dies_hard(pair: Pair) -> None:
    pair.crashes = True


def test_a_primary_that_did_not_end_in_good_order_is_started_again_by_undo() -> None:
    here = planned(dies_hard)
    agreed(here)
    assert here.run().failure is not None
    assert "has not ended in good order" in here.run().failure.said
    assert here.world.here.recovering
    here.world.crashes = False
    here.undo(APPROVER)
    here.work()
    assert here.world.writable() == [SITE.postgres]
    assert here.world.there.containers[SITE.postgres].restart_policy == "unless-stopped"
    assert all(here.world.there.containers[name].state == "running" for name in WRITERS)


def test_a_standby_without_the_last_record_is_not_promoted() -> None:
    here = planned(lambda pair: None)
    here.work()
    here.answer("Switch over")
    here.work()
    here.world.stuck = True
    here.answer("Switch over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().failure is not None
    assert "has not received the last record" in here.run().failure.said
    assert here.world.here.recovering


def test_with_a_dead_primary_it_is_refused_with_what_to_do_instead() -> None:
    here = planned()
    here.work()
    assert here.run().finished is Outcome.REFUSED
    assert "/recover postgres failover" in str(here.store.entries("r1")[-1].data)
    assert here.world.changes == ()


def agreed(here: Company) -> None:
    here.work()
    here.answer("Switch over")
    here.work()
    here.answer("Switch over", APPROVER, SITE.postgres)
    here.work()
