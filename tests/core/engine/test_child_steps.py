"""The step that opens runs: its wiring, its items, what a parent hears of a child."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.engine.child import Child, ChildRequest
from actions.engine.children import Children, ChildRun, ChildState, for_parent
from actions.engine.injection import Miswired, check
from actions.engine.items import Item, Items
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Outcome
from tests.support.worlds.clock import MORNING
from tests.support.worlds.family import (
    PARENT,
    TOOLS,
    Family,
    parent,
    same_service,
)


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
