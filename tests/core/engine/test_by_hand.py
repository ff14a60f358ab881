"""What a person does by hand: they read an instruction, say that it is done, and it has to hold like anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.control import answers
from actions.engine.errors import Refused
from actions.engine.injection import Miswired, check
from actions.engine.journal import Entry, Kind, first_broken
from actions.engine.procedure import Act, Look, Outcome
from tests.support.worlds import services
from tests.support.worlds.planned import APPROVER, ONCALL, WATCHER
from tests.support.worlds.services import LOOK, START, TOOLS, Host, Room, Service, procedure
from tests.support.worlds.toys import trouble

NOTE = "pulled the cable out and in"


def how_to_announce(services: services.Services) -> str:
    return f"Write to everybody that {len(services.all)} services are back."


CALL = Act("announce it", None, services.is_announced, services.stop_announcing, by_hand=how_to_announce)
BY_HAND = procedure(LOOK, START, CALL)
ROUTER = Service("router", instruction="Switch the router on at the rack.")
STACK = (ROUTER, Service("postgres"), Service("web", ("router", "postgres")))


def room(*stack: Service, steps: Any = (LOOK, START), **fails: Exception) -> Room:
    return Room(procedure(*steps), Host(stack, fails={f"start {name}": error for name, error in fails.items()})).ask()


def switched_on(here: Room, name: str = "router") -> Room:
    """A person has done it, in the world."""
    here.host.up = here.host.up | {name}
    return here


def answered(here: Room) -> Entry:
    found: Entry = next(e for e in reversed(here.store.entries("r1")) if e.kind is Kind.ANSWERED)
    return found


def test_an_item_by_hand_is_asked_for_once_the_machine_has_done_its_part_of_the_wave() -> None:
    here = room(*STACK)
    assert here.work() == "asking"
    assert here.host.up == {"postgres"}
    asked = here.store.entries("r1")[-1]
    assert asked.data["title"] == "start the services: router"
    assert asked.data["sheets"][0]["notes"] == ["Switch the router on at the rack."]
    assert [o["label"] for o in asked.data["options"]] == ["Done", "Cannot be done"]
    switched_on(here).answer("Done", ONCALL, NOTE)
    assert here.work() == "finished"
    assert here.host.up == {"router", "postgres", "web"}
    assert "start router" not in here.host.did


def test_who_did_it_and_what_they_noted_stands_in_the_journal() -> None:
    here = room(ROUTER)
    here.work()
    switched_on(here).answer("done", APPROVER, NOTE)
    here.work()
    said = answered(here).data
    assert (said["by"], said["name"], said["text"], said["item"]) == ("U-APPROVER", "approver", NOTE, "router")
    done = [e for e in here.store.entries("r1") if e.kind is Kind.DONE][-1]
    assert done.data["said"] == f"by hand, approver: {NOTE}"
    assert here.run.people == {"U-ONCALL"}


def test_done_without_a_note_or_from_somebody_without_rights_is_refused() -> None:
    here = room(ROUTER)
    here.work()
    with pytest.raises(Refused, match="no note"):
        here.answer("Done", ONCALL, "  ")
    with pytest.raises(Refused):
        here.answer("Done", WATCHER, NOTE)


def test_an_instruction_waits_for_as_long_as_it_takes() -> None:
    here = room(ROUTER)
    here.work()
    here.clock.advance(90 * 24 * 3600)
    assert here.work() == "asking"
    switched_on(here).answer("Done", ONCALL, NOTE)
    assert here.work() == "finished"


def test_what_is_said_to_be_done_and_cannot_be_seen_has_failed_and_retry_asks_anew() -> None:
    here = room(ROUTER)
    here.work()
    here.answer("Done", ONCALL, NOTE)
    assert here.work() == "failed"
    assert here.run.failure is not None
    assert "cannot be seen" in here.run.failure.message
    answers.retry(here.store, "r1", ONCALL)
    assert here.work() == "asking"
    switched_on(here).answer("Done", ONCALL, NOTE)
    assert here.work() == "finished"


def test_what_cannot_be_done_fails_in_the_words_of_whoever_says_so() -> None:
    here = room(*STACK, postgres=trouble())
    here.work()
    here.answer("Cannot be done", ONCALL, "the rack is locked")
    assert here.work() == "failed"
    assert here.run.failure is not None
    assert "oncall says that it cannot be done: the rack is locked" in here.run.failure.detail
    assert here.run.failure.message.startswith("2 have failed")


def test_what_is_spare_and_cannot_be_done_is_only_missed() -> None:
    here = room(replace(ROUTER, spare=True), Service("postgres"))
    here.work()
    here.answer("Cannot be done", ONCALL, "the rack is locked")
    assert here.work() == "finished"
    assert here.run.finished is Outcome.DONE
    assert "the rack is locked" in here.store.entries("r1")[-1].data["report"][0]["alerts"][0]


def test_several_items_by_hand_are_asked_for_one_after_the_other() -> None:
    here = room(ROUTER, replace(ROUTER, name="switch"))
    for name in ("router", "switch"):
        assert here.work() == "asking"
        assert here.run.question is not None
        assert here.run.question.item == name
        switched_on(here, name).answer("Done", ONCALL, NOTE)
    assert here.work() == "finished"


def test_an_act_by_hand_reads_facts_for_its_instruction() -> None:
    here = room(Service("postgres"), steps=BY_HAND.steps)
    assert here.work() == "asking"
    assert here.store.entries("r1")[-1].data["sheets"][0]["notes"] == ["Write to everybody that 1 services are back."]
    switched_on(here, "announced").answer("Done", ONCALL, NOTE)
    assert here.work() == "finished"
    assert here.run.finished is Outcome.DONE


def test_an_act_by_hand_that_failed_is_asked_for_again_on_retry() -> None:
    here = room(steps=BY_HAND.steps)
    here.work()
    here.answer("Cannot be done", ONCALL, "no mail")
    assert here.work() == "failed"
    answers.retry(here.store, "r1", ONCALL)
    assert here.work() == "asking"


def test_undo_at_an_instruction_takes_back_what_may_have_been_done_by_hand_too() -> None:
    here = room(*STACK)
    here.work()
    switched_on(here)
    answers.undo(here.store, here.procedure, "r1", ONCALL)
    assert here.work() == "finished"
    assert here.run.finished is Outcome.UNDONE
    assert here.host.up == frozenset()


def test_killed_anywhere_around_what_is_done_by_hand_the_run_ends_the_same() -> None:
    model = room(*STACK)
    places: list[tuple[str, Room]] = []
    model.watch(lambda place: places.append((place, model.fork())))
    for _ in range(2):
        if model.work() == "asking":
            switched_on(model).answer("Done", ONCALL, NOTE)
    assert model.run.finished is Outcome.DONE
    assert len(places) > 20
    for place, here in places:
        if here.work() == "asking":
            switched_on(here).answer("Done", ONCALL, NOTE)
            here.work()
        assert here.run.finished is Outcome.DONE, place
        assert here.host.up == model.host.up, place
        assert here.kinds().count(Kind.ANSWERED) == 1, place
        assert first_broken(here.store.entries("r1")) is None, place


@pytest.mark.parametrize("change", [{"do": services.announce}, {"by_hand": None}])
def test_an_act_is_done_by_the_machine_or_by_hand_and_not_both(change: dict[str, Any]) -> None:
    check(BY_HAND, TOOLS)
    with pytest.raises(Miswired, match="either `do` or `by_hand`"):
        check(procedure(LOOK, replace(CALL, **change)), TOOLS)


def test_the_instruction_of_an_act_is_checked_at_import() -> None:
    with pytest.raises(Miswired, match="nobody gives 'services'"):
        check(procedure(CALL), TOOLS)
    assert isinstance(LOOK, Look)


def test_by_hand_is_part_of_the_table() -> None:
    by_machine = replace(CALL, do=services.announce, by_hand=None)
    assert procedure(LOOK, CALL).table != procedure(LOOK, by_machine).table


def test_killed_anywhere_while_undoing_what_was_done_by_hand_too_is_taken_back() -> None:
    model = room(*STACK, web=trouble())
    model.work()
    switched_on(model).answer("Done", ONCALL, NOTE)
    assert model.work() == "failed"
    answers.undo(model.store, model.procedure, "r1", ONCALL)
    places: list[tuple[str, Room]] = []
    model.watch(lambda place: places.append((place, model.fork())))
    model.work()
    assert len(places) > 12
    for place, here in places:
        here.work()
        assert here.run.finished is Outcome.UNDONE, place
        assert here.host.up == frozenset(), place


def test_a_secret_in_a_note_does_not_reach_the_journal() -> None:
    here = switched_on(room(*STACK))
    here.work()
    question = here.run.question
    assert question is not None
    answers.answer(here.store, "r1", question.n, "Done", ONCALL, "ran PGPASSWORD=hunter2 psql " + "x" * 9000)
    kept = answered(here).data["text"]
    assert kept.startswith("ran PGPASSWORD=[hidden] psql")
    assert len(kept) <= 3000
