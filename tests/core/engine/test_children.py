"""A parent waits for its children without a thread, and what they ended as decides what it does; whatever dies."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from actions.control import answers
from actions.control.requests import ChildPlace, Subject, open_child
from actions.engine.child import Child, ChildRequest
from actions.engine.children import Children, ChildRun, ChildState, for_parent
from actions.engine.claims import ALL, Mode, Wanted
from actions.engine.errors import Fenced
from actions.engine.injection import Miswired, check
from actions.engine.items import Item, Items
from actions.engine.journal import Entry, Kind
from actions.engine.next_move import Wait, next_move
from actions.engine.procedure import Act, Outcome
from tests.support.worlds.clock import MORNING
from tests.support.worlds.family import (
    ASKING,
    OLGA,
    PAINT,
    PARENT,
    TOOLS,
    Family,
    Painting,
    parent,
    same_service,
    wash_all,
)
from tests.support.worlds.toys import trouble

ROOMS = ("hall", "kitchen", "attic")


def paint_count(here: Family) -> Counter[str]:
    return Counter(what for what in here.walls.did if what.startswith("paint"))


def test_a_parent_opens_a_run_for_each_item_and_goes_on_with_how_they_ended() -> None:
    here = Family().ask(*ROOMS)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert here.walls.painted == {*ROOMS, "admired"}
    assert here.walls.did[-1] == "admire hall=done kitchen=done attic=done"
    assert [(c.service, c.finished, c.parent) for c in here.children] == [
        (room, Outcome.DONE, here.root) for room in ROOMS
    ]
    assert [end["run"] for end in here.run.facts["ends"]] == [child.id for child in here.children]


def test_while_it_waits_it_has_neither_a_lease_nor_a_move() -> None:
    here = Family().ask(*ROOMS)
    assert here.carry(here.root) == "children"
    assert here.store.leased() == set()
    assert next_move(PARENT, here.run, here.clock()) == Wait("children")
    for child in here.children[:2]:
        assert here.carry(child.id) == "finished"
        assert next_move(PARENT, here.run, here.clock()) == Wait("children")
    before = len(here.entries())
    here.carry(here.children[2].id)
    # The child's own last entry, and in the same transaction the parent's.
    assert here.kinds()[before:] == [Kind.CHILD]
    assert here.due() == [here.root]
    # Both were told: those who begin at once, and the one that goes on.
    assert here.told == [*(child.id for child in here.children), *[here.root] * 3]


def test_a_child_is_asked_for_by_who_asked_for_its_parent_and_comes_from_there() -> None:
    here = Family().ask("hall")
    here.carry(here.root)
    [child] = here.children
    first = here.entries(child.id)[0].data
    assert (first["by"], first["name"], first["summary"]) == ("U1", "Olga", "Paint hall.")
    own = {"parent": here.root, "lenders": here.root, "step": "1", "item": "hall"}
    assert own.items() <= first["origin"].items()
    assert first["origin"]["channel"] == "C1"


def test_whichever_move_a_worker_dies_at_each_child_is_opened_once_and_the_end_is_the_same() -> None:
    kills = 0
    for at in range(1, 500):
        here = Family().ask(*ROOMS)
        if not here.settle_with_a_kill(at):
            break
        kills += 1
        assert here.run.finished is Outcome.DONE, at
        assert [child.service for child in here.children] == list(ROOMS), at
        assert here.walls.painted == {*ROOMS, "admired"}, at
        assert set(paint_count(here).values()) == {1}, at
        assert [end["outcome"] for end in here.run.facts["ends"]] == ["done"] * 3, at
        assert here.store.claimed == ()
    assert kills > 40


def test_children_are_lent_what_their_parent_claims_and_strangers_are_not() -> None:
    here = Family(parent=parent(opens=same_service)).ask("hall")
    here.carry(here.root)
    [child] = here.children
    assert child.service == here.run.service == "house"
    assert here.busy("house") == here.root
    here.carry(child.id)
    assert here.busy("house") == here.root
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert here.busy("house").startswith("none")


def test_siblings_lend_each_other_nothing_and_take_turns() -> None:
    here = Family(parent=parent(opens=same_service)).ask(*ROOMS)
    here.carry(here.root)
    assert len(here.children) == 1
    assert here.kinds().count(Kind.PUT_OFF) == 2
    assert here.due() == [here.children[0].id]
    here.settle()
    assert [child.finished for child in here.children] == [Outcome.DONE] * 3
    assert here.walls.did[:3] == ("paint hall", "paint kitchen", "paint attic")
    assert here.run.finished is Outcome.DONE


def test_a_parent_that_claims_all_of_its_site_lends_all_of_it() -> None:
    whole = replace(PARENT, claims=(Wanted(Mode.EXCLUSIVE, ALL),))
    here = Family(parent=whole).ask("hall", "attic")
    here.settle()
    assert here.run.finished is Outcome.DONE


def test_neither_a_parent_nor_a_child_that_yields_gives_way_to_the_other() -> None:
    yielding = (Wanted(Mode.YIELDING),)
    for over, under in ((yielding, True), (True, yielding)):
        here = Family(replace(parent(opens=same_service), claims=over), replace(PAINT, claims=under)).ask("hall")
        here.settle()
        assert here.run.finished is Outcome.DONE


def test_a_service_that_a_stranger_holds_fails_the_step_and_retry_goes_on_with_that_one_alone() -> None:
    here = Family().ask(*ROOMS)
    stranger = here.busy("kitchen").split()[2]
    here.settle()
    failure = here.run.failure
    assert failure is not None
    assert "kitchen is held by run" in failure.message
    # By then it is free: what was due has been carried out.
    assert here.store.run(stranger).finished
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert sorted(child.service for child in here.children) == sorted(ROOMS)


def test_a_child_that_ends_otherwise_than_it_should_fails_the_step_and_retry_opens_it_anew() -> None:
    here = Family(child=ASKING).ask("hall", "attic")
    here.settle()
    one, other = here.children
    for child, label in ((one, "No"), (other, "Yes")):
        asked = child.question
        assert asked is not None
        answers.answer(here.store, child.id, asked.n, label, OLGA)
    here.settle()
    assert here.store.run(one.id).finished is Outcome.DISCARDED
    failure = here.run.failure
    assert failure is not None
    assert failure.message == f"hall: Run {one.id} ended as 'discarded'."
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    again = here.children[-1]
    assert [child.service for child in here.children] == ["hall", "attic", "hall"]
    assert again.question is not None
    answers.answer(here.store, again.id, again.question.n, "Yes", OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert [(end["item"], end["run"]) for end in here.run.facts["ends"]] == [("hall", again.id), ("attic", other.id)]


def test_a_parent_that_accepts_any_end_goes_on_with_it() -> None:
    here = Family(parent=parent(accepts=("done", "discarded")), child=ASKING).ask("hall")
    here.settle()
    asked = here.children[0].question
    assert asked is not None
    answers.answer(here.store, here.children[0].id, asked.n, "No", OLGA)
    here.settle()
    assert here.walls.did == ("admire hall=discarded",)


def test_a_child_that_has_failed_is_waited_for_and_its_parent_goes_on_once_a_person_has_helped() -> None:
    here = Family().ask("hall", "attic")
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    assert here.run.failure is None
    assert next_move(PARENT, here.run, here.clock()) == Wait("children")
    assert [entry.data.get("error") for entry in here.entries() if entry.kind is Kind.CHILD] == [
        "The brush broke.",
        None,
    ]
    here.walls.fails.clear()
    answers.retry(here.store, here.children[0].id, OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE


def test_unattended_a_child_that_has_failed_fails_its_parent_and_is_retried_with_it() -> None:
    here = Family(parent=parent(unattended=True)).ask("hall", "attic")
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    failure = here.run.failure
    assert failure is not None
    assert failure.message.startswith("hall: Run ")
    assert "The brush broke." in failure.detail
    here.walls.fails.clear()
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert len(here.children) == 2


def test_unattended_a_child_that_is_undone_after_all_ends_the_waiting_for_it() -> None:
    here = Family(parent=parent(unattended=True)).ask("hall")
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    answers.undo(here.store, PAINT, here.children[0].id, OLGA)
    here.settle()
    assert here.run.failure is not None
    here.walls.fails.clear()
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert [child.finished for child in here.children] == [Outcome.UNDONE, Outcome.DONE]
    assert here.run.finished is Outcome.DONE


def stopped() -> Family:
    here = Family().ask(*ROOMS)
    here.carry(here.root)
    here.carry(here.children[0].id)
    answers.stop(here.store, here.root, OLGA)
    here.carry(here.root)
    return here


def test_stopping_a_parent_stops_its_children_and_retrying_it_has_them_go_on() -> None:
    here = stopped()
    assert here.run.failure is not None
    assert here.run.failure.stopped
    here.settle()
    assert [bool(child.failure) for child in here.children] == [False, True, True]
    assert here.walls.painted == {"hall"}
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert len(here.children) == 3
    assert here.walls.painted == {*ROOMS, "admired"}


@pytest.mark.parametrize("unattended", [False, True])
def test_a_parent_that_is_retried_before_its_stop_has_reached_a_child_has_it_go_on_all_the_same(
    unattended: bool,
) -> None:
    here = Family(parent=parent(unattended=unattended)).ask(*ROOMS)
    here.carry(here.root)
    answers.stop(here.store, here.root, OLGA)
    here.carry(here.root)
    assert [bool(child.stop_asked) and child.failure is None for child in here.children] == [True] * 3
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    assert [child.finished for child in here.children] == [Outcome.DONE] * 3
    assert here.run.finished is Outcome.DONE
    assert paint_count(here) == Counter(f"paint {room}" for room in ROOMS)


def test_a_child_that_fails_by_itself_after_such_a_retry_waits_for_a_person() -> None:
    here = Family().ask("hall")
    here.carry(here.root)
    answers.stop(here.store, here.root, OLGA)
    here.carry(here.root)
    answers.retry(here.store, here.root, OLGA)
    [child] = here.children
    here.store.speak(child.id, lambda state: (Kind.RETRIED, None, {"by": "U1", "name": "Olga"}))
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    assert here.kinds(child.id).count(Kind.FAILED) == 1
    assert here.children[0].failure is not None


def test_siblings_with_writers_in_common_take_turns() -> None:
    here = Family().ask("hall", "kitchen")
    common = {"hall": ("broom",), "kitchen": ("broom",)}
    here.shared = lambda service, site: common[service] if site == "main" else ()
    here.carry(here.root)
    assert [child.service for child in here.children] == ["hall"]
    assert here.kinds().count(Kind.PUT_OFF) == 1
    assert {claim.service for claim in here.store.claims("main") if claim.run == here.children[0].id} == {
        "hall",
        "broom",
    }
    here.settle()
    assert [child.finished for child in here.children] == [Outcome.DONE] * 2
    assert here.run.finished is Outcome.DONE


def test_a_child_that_waits_for_an_answer_is_stopped_too_and_its_question_is_put_again_after() -> None:
    here = Family(child=ASKING).ask("hall")
    here.settle()
    answers.stop(here.store, here.root, OLGA)
    here.settle()
    [child] = here.children
    assert child.failure is not None
    assert child.failure.stopped
    answers.retry(here.store, here.root, OLGA)
    here.settle()
    asked = here.children[0].question
    assert asked is not None
    answers.answer(here.store, child.id, asked.n, "Yes", OLGA)
    here.settle()
    assert here.run.finished is Outcome.DONE


def test_undoing_a_parent_undoes_its_open_children_and_what_the_others_did_by_its_own_undo() -> None:
    here = Family(parent=parent(undo=wash_all)).ask(*ROOMS)
    here.walls.fails["paint attic"] = trouble()
    here.settle()
    answers.stop(here.store, here.root, OLGA)
    here.settle()
    answers.undo(here.store, here.parent, here.root, OLGA)
    here.settle()
    assert [child.finished for child in here.children] == [Outcome.DONE, Outcome.DONE, Outcome.UNDONE]
    assert here.walls.painted == frozenset()
    assert here.walls.did[-1] == "wash all"
    assert here.run.finished is Outcome.UNDONE
    assert here.store.claimed == ()


def test_whichever_move_of_an_undo_a_worker_dies_at_the_end_is_the_same() -> None:
    kills = 0
    for at in range(1, 500):
        here = stopped()
        answers.undo(here.store, PARENT, here.root, OLGA)
        came = here.settle_with_a_kill(at)
        assert here.run.finished is Outcome.UNDONE, at
        assert [child.finished for child in here.children] == [Outcome.DONE, Outcome.UNDONE, Outcome.UNDONE], at
        if not came:
            break
        kills += 1
    assert kills > 10


def test_a_child_at_work_is_stopped_before_it_is_undone() -> None:
    here = Family(child=ASKING, parent=parent(unattended=True)).ask("hall")
    here.carry(here.root)
    [child] = here.children
    answers.stop(here.store, here.root, OLGA)
    here.carry(here.root)
    answers.undo(here.store, here.parent, here.root, OLGA)
    here.settle()
    assert [kind for kind in here.kinds(child.id) if kind in (Kind.STOP_ASKED, Kind.UNDO_ASKED)] == [
        Kind.STOP_ASKED,
        Kind.UNDO_ASKED,
    ]
    assert here.children[0].finished is Outcome.UNDONE


def test_a_child_that_can_no_longer_be_undone_goes_on_to_its_end_and_its_parent_waits_for_it() -> None:
    paint = PAINT.steps[1]
    assert isinstance(paint, Act)
    last = replace(PAINT, steps=(PAINT.steps[0], replace(paint, undo=None, point_of_no_return=True)))
    here = Family(child=last).ask("hall")
    here.walls.fails["paint hall"] = trouble()
    here.settle()
    answers.stop(here.store, here.root, OLGA)
    here.settle()
    answers.undo(here.store, PARENT, here.root, OLGA)
    here.settle()
    assert Kind.UNDO_ASKED not in here.kinds(here.children[0].id)
    assert here.run.finished is None
    here.walls.fails.clear()
    answers.retry(here.store, here.children[0].id, OLGA)
    here.settle()
    assert (here.children[0].finished, here.run.finished) == (Outcome.DONE, Outcome.UNDONE)


def test_a_worker_that_lost_the_parents_lease_opens_nothing() -> None:
    here = Family().ask("hall")
    lease = here.store.acquire(here.root, "w1")
    here.clock.advance(20)
    assert here.store.acquire(here.root, "w2") is not None
    place = ChildPlace(here.run, lease, 1, "hall")
    with pytest.raises(Fenced):
        open_child(here.store, PAINT, Painting(("hall",)), subject=Subject("main", "hall"), place=place)
    assert here.children == []


def test_children_of_children_are_lent_what_both_claim() -> None:
    here = Family().ask("hall")
    lease = here.store.acquire(here.root, "w1")
    asks = {"subject": Subject("main", "house")}
    child = open_child(here.store, PAINT, Painting(("a",)), place=ChildPlace(here.run, lease, 1, "a"), **asks)
    below = here.store.acquire(child.id, "w1")
    place = ChildPlace(here.store.run(child.id), below, 1, "b")
    grandchild = open_child(here.store, PAINT, Painting(("b",)), place=place, **asks)
    assert here.store.run(grandchild.id).lenders == (here.root, child.id)
    assert here.store.run(grandchild.id).parent == child.id


def test_a_step_with_no_items_opens_nothing_and_gives_no_ends() -> None:
    here = Family().ask()
    here.settle()
    assert (here.run.finished, here.run.facts["ends"], here.children) == (Outcome.DONE, [], [])


def alone(rooms: tuple[str, ...]) -> ChildRequest:
    return same_service(rooms[0])


def test_a_step_without_a_sequence_opens_one_run() -> None:
    here = Family(parent=parent(opens=alone, over="")).ask("hall")
    here.settle()
    assert here.run.finished is Outcome.DONE
    assert here.walls.did == ("paint hall", "admire paint the rooms=done")


def nameless() -> str:
    return "hall"


def stranger(item: str, colour: str) -> ChildRequest:
    return same_service(item)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"opens": nameless}, "not a ChildRequest"),
        ({"opens": stranger}, "nobody gives 'colour'"),
        ({"over": "nothing"}, "nobody gives 'nothing'"),
        ({"over": ""}, "nobody gives 'item'"),
    ],
)
def test_a_misfit_is_found_when_the_catalog_is_imported(changed: dict[str, object], why: str) -> None:
    check(PARENT, TOOLS)
    with pytest.raises(Miswired, match=why):
        check(parent(**changed), TOOLS)


def test_its_table_tells_what_it_opens_runs_for() -> None:
    step = PARENT.steps[1]
    assert isinstance(step, Child)
    other = replace(PARENT, steps=(PARENT.steps[0], replace(step, over="rooms"), PARENT.steps[2]))
    assert other.table != PARENT.table


def test_an_item_that_is_put_off_waits_for_the_one_child_that_it_names() -> None:
    """Others of the same parent may still be at work."""
    first, second = ChildRun("c1", 4, "one", ()), ChildRun("c2", 4, "two", ())
    items = Items(tuple(Item(name, 0) for name in ("one", "two", "three")))
    waits = Children((first, second), {(4, "three"): "c1"})
    assert waits.to_open(4, items) == ()
    over = replace(waits, all=(replace(first, state=ChildState.ENDED), second))
    assert over.to_open(4, replace(items, done=frozenset({"one"}))) == ("three",)


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (Kind.FAILED, {"error": "The wall is wet."}, "run c1 for hall: has failed"),
        (Kind.FAILED, {"error": "The wall is wet.", "item": "left half"}, None),
        (Kind.STOPPED, {}, "run c1 for hall: stopped"),
        (Kind.FINISHED, {"outcome": "done"}, "run c1 for hall: done"),
        (Kind.DONE, {"title": "paint"}, None),
    ],
)
def test_a_parent_hears_of_a_childs_end_and_of_its_rest_and_not_of_one_item_in_it(
    kind: Kind, data: dict[str, str], told: str | None
) -> None:
    """While an item has failed others of its wave are still at work: a parent told of it would decide too early."""
    origin = {"parent": "p1", "step": "4", "item": "hall"}
    first = Entry("c1", 1, MORNING, Kind.REQUESTED, None, {"origin": origin, "procedure": "paint"})
    heard = for_parent(first, kind, data)
    assert (heard and heard[2]["title"]) == told
    alone = replace(first, data={"origin": {}, "procedure": "paint"})
    assert for_parent(alone, kind, data) is None
