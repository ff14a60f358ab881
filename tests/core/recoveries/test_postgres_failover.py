"""The failover in memory: what is seen, approved, fenced and promoted, and what never happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actions.engine.errors import Refused
from actions.engine.procedure import Outcome
from tests.support.kills import KillCase, carry_on
from tests.support.worlds.company import SITE
from tests.support.worlds.founding import container
from tests.support.worlds.pair import Pair, founded
from tests.support.worlds.planned import APPROVER, Company

CASES = (KillCase("postgres failover", founded),)


def fact(here: Company, name: str) -> dict[str, object]:
    found: dict[str, object] = here.run().facts[name]
    return found


def test_a_dead_primary_is_fenced_before_the_standby_takes_its_names_and_writes() -> None:
    here = founded()
    carry_on(here)
    world: Pair = here.world
    assert here.run().finished is Outcome.RECOVERED, here.run().failure
    assert world.writable() == ["standby"]
    assert world.lan[SITE.postgres] == ()
    assert world.leads_to(SITE.postgres) is world.here
    assert world.there.containers[SITE.postgres].restart_policy == "no"
    assert world.there.signals == ("standby.signal",)
    assert world.here.live.timeline == 2
    assert fact(here, "given_up")["commits"] == 0


def unreceived(count: int) -> Company:
    return founded(lambda pair: pair.kill_primary(count))


def test_commits_that_the_standby_lacks_are_counted_and_brought_over_from_the_old_primarys_wal() -> None:
    here = unreceived(12)
    messages = here.world.there.messages()
    here.work()
    assert fact(here, "missing")["commits"] == 12
    asked = here.run().question
    assert asked is not None
    assert [one["label"] for one in asked.options] == ["Fail over with this loss", "Cancel"]
    assert "12 commits" in str(here.store.entries("r1")[-1].data["card"])
    carry_on(here)
    assert here.run().finished is Outcome.RECOVERED, here.run().failure
    assert fact(here, "given_up")["commits"] == 0
    assert here.world.here.messages() == messages


def test_what_cannot_be_brought_over_is_lost_and_said() -> None:
    here = unreceived(3)
    kept = here.world.here.messages()
    here.work()
    here.answer("Fail over")
    here.work()
    # Its disk goes between the plan and the promotion.
    here.world.unreadable = True
    here.answer("Fail over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().finished is Outcome.RECOVERED, here.run().failure
    assert here.run().missed
    lost = fact(here, "given_up")
    assert (lost["counted"], lost["commits"], lost["final"]) == (True, 3, True)
    assert here.world.here.messages() == kept


def test_whoever_asked_is_not_the_second_person() -> None:
    here = founded(by=APPROVER)
    here.work()
    here.answer("Fail over", APPROVER)
    here.work()
    with pytest.raises(Refused):
        here.answer("Fail over", APPROVER, SITE.postgres)
    assert here.world.changes == ()


def test_a_primary_that_takes_writes_is_stopped_in_good_order_first_and_nothing_is_lost() -> None:
    here = founded(lambda pair: None)
    here.work()
    assert fact(here, "evidence")["health"] == "takes writes"
    carry_on(here)
    assert here.run().finished is Outcome.RECOVERED, here.run().failure
    assert here.world.there.live.state == "shut down"
    assert fact(here, "given_up")["commits"] == 0


def test_a_primary_that_does_not_stop_is_not_replaced_and_is_out_of_its_network() -> None:
    here = founded(lambda pair: setattr(pair, "hangs", True))
    here.work()
    here.answer("Fail over")
    here.work()
    here.answer("Fail over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().failure is not None
    assert here.world.lan[SITE.postgres] == ()
    assert here.world.here.recovering
    here.world.hangs = False
    here.undo(APPROVER)
    here.work()
    assert here.world.leads_to(SITE.postgres) is here.world.there
    assert here.world.there.containers[SITE.postgres].restart_policy == "unless-stopped"
    assert here.world.writable() == [SITE.postgres]


def test_an_approval_is_void_once_the_primary_is_back() -> None:
    here = founded()
    here.work()
    here.answer("Fail over")
    here.work()
    here.world.there.set_container(SITE.postgres, state="running")
    here.answer("Fail over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().asking
    assert here.world.changes == ()
    assert fact(here, "evidence_now")["health"] == "takes writes"


def paused(pair: Pair) -> None:
    pair.there.set_container(SITE.postgres, state="paused")


def test_a_primary_that_hangs_is_stopped_while_its_clients_can_still_be_told() -> None:
    here = founded(paused)
    carry_on(here)
    assert here.run().finished is Outcome.RECOVERED, here.run().failure
    done = [one for one in here.world.changes if "disconnect nself" in one or "stop nself-postgres" in one]
    assert done == ["primary: stop nself-postgres", "primary: disconnect nself-postgres"]


def test_a_primary_that_hangs_and_cannot_be_read_is_out_of_its_network_before_it_is_stopped() -> None:
    def unread(pair: Pair) -> None:
        paused(pair)
        pair.there.control_damaged, pair.there.wal_lost = pair.there.live.id, True

    here = founded(unread)
    carry_on(here)
    assert here.run().finished is Outcome.RECOVERED, here.run().failure
    done = [one for one in here.world.changes if "disconnect nself" in one or "stop nself-postgres" in one]
    assert done == ["primary: disconnect nself-postgres", "primary: stop nself-postgres"]


def another_cluster(pair: Pair) -> None:
    pair.kill_primary()
    pair.here.set_dir("postgres", timeline=0, checkpoint_timeline=0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pair: setattr(pair.here, "recovering", False), "is no standby: it takes writes already"),
        (
            lambda pair: pair.here.set_container(SITE.postgres, state="exited"),
            "does not answer, so it cannot take over",
        ),
        (another_cluster, "follows another timeline"),
        (lambda pair: pair.there.containers.pop(SITE.postgres), "There is no container"),
    ],
)
def test_what_makes_a_failover_senseless_is_refused_and_nothing_is_touched(
    change: Callable[[Pair], object], said: str
) -> None:
    here = founded(change)
    here.work()
    assert here.run().finished is Outcome.REFUSED
    assert said in str(here.store.entries("r1")[-1].data)
    assert here.world.changes == ()


def with_another(received: int, state: str = "running") -> Callable[[Pair], None]:
    """A third copy of the cluster, on the primary's host."""

    def change(pair: Pair) -> None:
        pair.kill_primary()
        pair.third = pair.here.live.lsn + received
        pair.there.containers["third"] = container("third", state=state)

    return change


def test_another_standby_that_has_received_more_is_named_instead() -> None:
    here = founded(with_another(0x100), others=("third @ main",))
    here.work()
    assert here.run().finished is Outcome.REFUSED
    said = str(here.store.entries("r1")[-1].data)
    assert "third @ main has received 256 B more" in said
    assert "/recover postgres failover third @ main" in said


@pytest.mark.parametrize(
    ("other", "state", "why"),
    [
        ("third @ main", "exited", "its container is exited"),
        ("third @ west", "running", "the site west is not reached from here"),
        ("gone @ main", "running", "its container is not there"),
    ],
)
def test_another_standby_that_cannot_be_compared_is_said_in_red(other: str, state: str, why: str) -> None:
    here = founded(with_another(0x100, state), others=(other,))
    here.work()
    alerts = here.store.entries("r1")[-1].data["sheets"][0]["alerts"]
    assert f"{other} was not compared ({why}): it may have received more." in alerts


def test_another_standby_that_has_no_more_holds_nothing_up() -> None:
    here = founded(with_another(0), others=("third @ main",))
    carry_on(here)
    assert here.run().finished is Outcome.RECOVERED
