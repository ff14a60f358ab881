"""What a parent claims is lent to its children; siblings take turns."""

from __future__ import annotations

from dataclasses import replace

from actions.control.requests import ChildPlace, Subject, open_child
from actions.engine.claims import ALL, Mode, Wanted
from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from tests.support.worlds.family import (
    PAINT,
    PARENT,
    ROOMS,
    Family,
    Painting,
    parent,
    same_service,
)


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
