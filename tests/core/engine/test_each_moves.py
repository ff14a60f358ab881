"""Whatever a journal with loops, instructions and countdowns says, there is exactly one next move."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.folding import after, fold
from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.engine.line_up import line_up
from actions.engine.next_move import Do, Fall, Heed, Move, Put, Undo, Wait, Wave, next_move
from actions.engine.procedure import OptionEffect
from actions.engine.put_question import BY_HAND, HOLD
from actions.engine.run import Run
from tests.support.worlds.services import LAST, LOOK, RESTART, START, Service, procedure

NOW = datetime(2026, 2, 9, 8, tzinfo=UTC)
REQUEST = {"procedure": "restart", "table": "t", "service": "s", "site": "m", "by": "U", "request": {}, "origin": {}}
STACK = (Service("a"), Service("b", instruction="Press it."), Service("c", ("a",), spare=True), Service("d", ("b",)))
NAMES = [service.name for service in STACK]
LINED = line_up(START, STACK)
OPTIONS = [
    {"label": o.label, "leads": str(o.leads), "who": str(o.who), "types": o.types, "gives": ""}
    for o in (*BY_HAND, HOLD)
]
WITH_UNDO = procedure(LOOK, START, replace(LAST, by_hand=lambda host: "Say it.", do=None))

Said = tuple[Kind, int | None, dict[str, Any]]
ITEM = st.sampled_from(NAMES)


def told(*said: Said) -> Run:
    run = fold([sealed(Entry("r1", 1, NOW, Kind.REQUESTED, None, REQUEST), GENESIS)])
    for n, (kind, step, data) in enumerate(said, 2):
        run = after(run, Entry("r1", n, NOW, kind, step, data))
    return run


LOOKED: Said = (Kind.DONE, 0, {"gives": "services", "fact": []})
BEGAN: Said = (Kind.BEGAN, 1, {"items": LINED})


def item(kind: Kind, name: str, **more: Any) -> Said:
    return (kind, 1, {"item": name, **more})


def asked(name: str) -> Said:
    return item(Kind.ASKED, name, title="?", options=OPTIONS, plan="h", hand=True)


def test_a_loop_from_its_first_move_to_its_last() -> None:
    assert next_move(RESTART, told(LOOKED), NOW) == Do(1)
    said = [LOOKED, BEGAN]
    assert next_move(RESTART, told(*said), NOW) == Wave(1, ("a",))
    said += [item(Kind.BEGAN, "a"), item(Kind.DONE, "a")]
    assert next_move(RESTART, told(*said), NOW) == Put(1, "b")
    said += [item(Kind.BEGAN, "b"), asked("b")]
    assert next_move(RESTART, told(*said), NOW + timedelta(days=99)) == Wait("asking")
    said += [item(Kind.ANSWERED, "b", hand=True, leads="on", option="Done", by="U")]
    assert next_move(RESTART, told(*said), NOW) == Heed(1, "b")
    failed = [*said, item(Kind.FAILED, "b", error="No.")]
    assert next_move(RESTART, told(*failed), NOW) == Fall(1)
    assert next_move(RESTART, told(*failed, (Kind.FAILED, 1, {"error": "No.", "items": ["b"]})), NOW) == Wait("failed")
    said += [item(Kind.DONE, "b")]
    assert next_move(RESTART, told(*said), NOW) == Wave(1, ("c", "d"))
    said += [item(Kind.DONE, "c", missed="NOT DONE"), item(Kind.DONE, "d")]
    assert next_move(RESTART, told(*said), NOW) == Do(2)
    assert next_move(RESTART, told(*said, (Kind.UNDO_ASKED, None, {})), NOW) == Undo(1, "b")


STEPS = st.integers(0, 2)
ANYTHING = st.one_of(
    st.sampled_from(
        [
            LOOKED,
            BEGAN,
            (Kind.RETRIED, 1, {}),
            (Kind.STOP_ASKED, None, {"by": "U"}),
            (Kind.STOPPED, 1, {}),
            (Kind.UNDO_ASKED, None, {}),
            (Kind.FAILED, 1, {"error": "x", "items": ["a"]}),
            (Kind.HELD, 1, {"by": "U"}),
            (Kind.EXPIRED, 1, {}),
            (Kind.EXPIRED, 1, {"leads": str(OptionEffect.ON), "option": "Done", "gives": "x"}),
            (Kind.ASKED, 2, {"title": "?", "options": OPTIONS, "plan": "h", "hand": True}),
            (Kind.ANSWERED, 2, {"hand": True, "leads": "fail", "option": "Cannot be done", "by": "U"}),
        ]
    ),
    st.builds(
        lambda kind, name: item(kind, name, error="x"),
        st.sampled_from([Kind.BEGAN, Kind.DONE, Kind.FAILED, Kind.UNDO_BEGAN, Kind.UNDONE, Kind.UNDO_FAILED]),
        ITEM,
    ),
    st.builds(lambda name: item(Kind.DONE, name, missed="NOT DONE"), ITEM),
    st.builds(asked, ITEM),
    st.builds(lambda name: item(Kind.ANSWERED, name, hand=True, leads="on", option="Done", by="U"), ITEM),
    st.tuples(st.sampled_from([Kind.BEGAN, Kind.DONE, Kind.UNDONE]), STEPS, st.just({})),
)


@given(st.lists(ANYTHING, max_size=18))
@settings(max_examples=150)
def test_every_journal_of_a_loop_has_exactly_one_next_move(said: list[Said]) -> None:
    run = told(LOOKED, BEGAN, *said)
    for table in (RESTART, WITH_UNDO):
        move = next_move(table, run, NOW)
        assert isinstance(move, Move)
        items = run.items[1]
        if isinstance(move, Wave):
            assert move.items
            assert not set(move.items) & (items.done | set(items.failed))
            for name in move.items:
                assert set(items.named(name).needs) <= items.done
        if isinstance(move, Undo) and move.item:
            assert move.item in items.began
            assert move.item not in items.undone
        if isinstance(move, Fall):
            assert items.failed
        assert next_move(table, run, NOW) == move
