"""A parent waits for its children without a thread, and what they ended as decides what it does; whatever dies."""

from __future__ import annotations

from collections import Counter

import pytest

from actions.control.requests import ChildPlace, Subject, open_child
from actions.engine.errors import Fenced
from actions.engine.journal import Kind
from actions.engine.next_move import Wait, next_move
from actions.engine.procedure import Outcome
from tests.support.worlds.family import (
    PAINT,
    PARENT,
    ROOMS,
    Family,
    Painting,
)


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


def test_a_worker_that_lost_the_parents_lease_opens_nothing() -> None:
    here = Family().ask("hall")
    lease = here.store.acquire(here.root, "w1")
    here.clock.advance(20)
    assert here.store.acquire(here.root, "w2") is not None
    place = ChildPlace(here.run, lease, 1, "hall")
    with pytest.raises(Fenced):
        open_child(here.store, PAINT, Painting(("hall",)), subject=Subject("main", "hall"), place=place)
    assert here.children == []
