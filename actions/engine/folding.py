"""Folding a journal into a run: what each entry makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from actions.engine import fold_questions as questions
from actions.engine.children import settled
from actions.engine.items import Item, Items
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Outcome
from actions.engine.run import Run
from actions.engine.run_parts import Failure


def _requested(e: Entry) -> Run:
    d = e.data
    return Run(
        id=e.run,
        procedure=d["procedure"],
        table=d["table"],
        service=d["service"],
        site=d["site"],
        requester=d["by"],
        request=d["request"],
        origin=d["origin"],
        requested_at=e.at,
    )


def _began(run: Run, e: Entry) -> Run:
    assert e.step is not None
    again = e.step in run.began
    run = replace(run, open_step=e.step, began=run.began if again else (*run.began, e.step))
    if "items" in e.data and e.step not in run.items:
        return _with(run, e, Items(tuple(map(Item.of, e.data["items"]))))
    if "child" in e.data:
        run = replace(run, children=run.children.begun(e))
    items, name = _item(run, e)
    return _with(run, e, items.begun(name)) if items else run


def _child(run: Run, e: Entry) -> Run:
    """What became of a child; the item that it was opened for has come to its end with it, or has failed."""
    run = replace(run, children=run.children.told(e))
    child = next((one for one in run.children.all if one.id == e.data["child"]), None)
    items = run.items.get(child.step) if child is not None else None
    if child is None or items is None:
        return run
    return replace(run, items={**run.items, child.step: settled(items, child)})


def _undo_began(run: Run, e: Entry) -> Run:
    return replace(run, children=run.children.recalled(e)) if "child" in e.data else run


def _item(run: Run, e: Entry) -> tuple[Items | None, str]:
    """The items of the loop that an entry is about, and the name of the one that it tells of."""
    name = str(e.data.get("item") or "")
    return (run.items.get(e.step) if name and e.step is not None else None), name


def _with(run: Run, e: Entry, items: Items) -> Run:
    assert e.step is not None
    return replace(run, items={**run.items, e.step: items})


def _done(run: Run, e: Entry) -> Run:
    assert e.step is not None
    facts = {**run.facts, e.data["gives"]: e.data["fact"]} if "gives" in e.data else run.facts
    run = replace(_told(run, e), facts=facts)
    items, name = _item(run, e)
    if items is not None:
        items = items.settled(name, missed=bool(e.data.get("missed")))
        run = _with(run, e, items)
    if items is None or not items.left:
        run = replace(run, done=run.done | {e.step}, open_step=None)
    if not e.data.get("missed"):
        return run
    # Whoever pressed Stop meanwhile wanted just that.
    return replace(run, missed=(*run.missed, e.data["missed"]), stop_asked="")


def _told(run: Run, e: Entry) -> Run:
    """What was to be done by hand has come to its end."""
    asked = run.question
    over = asked is not None and asked.hand and (asked.step, asked.item) == (e.step, str(e.data.get("item") or ""))
    return replace(run, question=None, answered=None) if over else run


def _failed(run: Run, e: Entry) -> Run:
    d, run = e.data, _told(run, e)
    step = e.step if e.step is not None else -1
    failure = Failure(step, d["error"], d.get("detail", ""), d.get("hint", ""), code=d.get("code", ""))
    items, name = _item(run, e)
    if items is not None and e.kind is Kind.FAILED:
        return _with(run, e, items.fell(name, failure))
    return replace(run, failure=failure, stop_asked="")


def _stopped(run: Run, e: Entry) -> Run:
    step = e.step if e.step is not None else -1
    said = f"Stopped by {run.stop_asked}." if run.stop_asked else "Stopped."
    hint = "Retry goes on from here; Undo takes back what was done."
    return replace(run, failure=Failure(step, said, "", hint, stopped=True), stop_asked="")


def _undo_asked(run: Run, e: Entry) -> Run:
    """Nothing is asked any more: an answer that came late must not read as if it counted."""
    cleared = replace(run, failure=None, stop_asked="", open_step=None, question=None, recheck=None)
    return replace(cleared, undoing=Outcome.UNDONE, again=None if run.recheck is not None else run.again)


def _undone(run: Run, e: Entry) -> Run:
    assert e.step is not None
    items, name = _item(run, e)
    if items is not None:
        items = items.taken_back(name)
        run = _with(run, e, items)
    return run if items is not None and items.to_undo else replace(run, undone=run.undone | {e.step})


def _retried(run: Run, e: Entry) -> Run:
    """What has failed is tried again, and no answer of before stands by itself."""
    agreed = {step: replace(one, at=None) for step, one in run.agreed.items()}
    items = {step: replace(one, failed={}) for step, one in run.items.items()}
    children = run.children.retried(stopped=run.failure is not None and run.failure.stopped)
    return replace(run, failure=None, stop_asked="", agreed=agreed, items=items, children=children)


def _finished(run: Run, e: Entry) -> Run:
    ended = replace(run, finished=Outcome(e.data["outcome"]), finished_at=e.at, words=e.data.get("words", ""))
    return replace(ended, question=None, answered=None)


_FOLDS: dict[Kind, Callable[[Run, Entry], Run]] = {
    Kind.BEGAN: _began,
    Kind.DONE: _done,
    Kind.FAILED: _failed,
    Kind.UNDO_FAILED: _failed,
    Kind.STOPPED: _stopped,
    Kind.ASKED: questions.asked,
    Kind.ANSWERED: questions.answered,
    Kind.EXPIRED: questions.expired,
    Kind.HELD: questions.held,
    Kind.RECHECKED: questions.rechecked,
    Kind.VOIDED: questions.voided,
    Kind.STOP_ASKED: lambda run, e: replace(run, stop_asked=e.data["by"]),
    Kind.RETRIED: _retried,
    Kind.UNDO_ASKED: _undo_asked,
    Kind.UNDO_BEGAN: _undo_began,
    Kind.UNDONE: _undone,
    Kind.CHILD: _child,
    Kind.PUT_OFF: lambda run, e: replace(run, children=run.children.put_off(e)),
    Kind.FINISHED: _finished,
}


def fold(entries: Iterable[Entry]) -> Run:
    """The run that these entries tell. The first must be the request.

    Raises:
        ValueError: there are no entries, or the first is not a request.
    """
    told = iter(entries)
    first = next(told, None)
    if first is None or first.kind is not Kind.REQUESTED:
        raise ValueError("a run's journal begins with its request")
    run = replace(_requested(first), last=first.n)
    for entry in told:
        run = after(run, entry)
    return run


def after(run: Run, entry: Entry) -> Run:
    """The run once one more entry was told."""
    step = _FOLDS.get(entry.kind)
    return replace(step(run, entry) if step else run, last=entry.n)
