"""The live header: what, how far, the clock against the promised time, who is in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actions.engine.break_glass import in_words
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Look, Procedure
from actions.engine.run import Run
from actions.engine.run_summary import summary_of
from actions.engine.status import STOP
from bot.views import pages
from bot.views.mrkdwn import Block, actions, button, clock, escape, person, section, small
from bot.views.steps import sentence, titled

ENDED = {
    "recovered": "Recovered",
    "done": "Done",
    "undone": "Undone, the old world is back",
    "discarded": "Discarded, nothing was swapped",
    "refused": "Refused, nothing was touched",
}


UNSEEN = " · has no thread, as nobody has to do anything"
"""What lists of runs say of one that is shown on trouble alone."""
_BEGINS = (Kind.BEGAN, Kind.UNDO_BEGAN)


def ended(outcome: str, words: str = "") -> str:
    """How a run ended: in its procedure's own words, else in those for all."""
    return words or ENDED.get(outcome, sentence(outcome))


@dataclass(frozen=True)
class HeaderData:
    """All that a header is made from. Its questions mention `approvers`, of whom `untold` got no message of theirs."""

    procedure: Procedure | None
    run: Run
    entries: list[Entry]
    now: datetime
    progress: dict[str, Any] | None = None
    worker: bool = True
    approvers: tuple[str, ...] = ()
    untold: int = 0


def state_text(procedure: Procedure | None, run: Run) -> str:
    """What a run is doing, in a few words."""
    if run.finished is not None:
        return escape(ended(str(run.finished), run.words))
    if run.failure is not None:
        return "Stopped, waits for you" if run.failure.stopped else "Failed, waits for you"
    if run.asking and run.question is not None:
        return f"{'Waits for a person' if run.question.hand else 'Asks'}: {escape(run.question.title)}"
    if run.undoing is not None:
        return "Taking back what was done"
    if run.stop_asked:
        return "Stopping at the next safe place"
    return escape(titled(current(procedure, run), run))


def current(procedure: Procedure | None, run: Run) -> str:
    """The title of the step that is being done, or comes next."""
    if procedure is None:
        return "at work"
    at = run.open_step
    if at is None:
        at = next((i for i in range(len(procedure.steps)) if i not in run.done), None)
    return procedure.steps[at].title if at is not None and at < len(procedure.steps) else "finishing"


def rto(procedure: Procedure | None, run: Run, now: datetime, waits: str = "") -> str:
    """The clock: how long it has taken, of how much, and whether that holds.

    `waits` is said in place of "on track" of a run that nobody carries out. A promise is kept by what was recovered;
    a run that was refused, discarded or taken back keeps none.
    """
    spent = (run.finished_at or now) - run.requested_at
    if procedure is None or procedure.rto is None:
        return f"{clock(spent)}, {waits}" if waits else clock(spent)
    held = spent <= procedure.rto
    if run.finished is not None:
        kept = f" of {clock(procedure.rto)}, {'kept' if held else 'missed'}"
        return clock(spent) + (kept if run.finished is procedure.ends else "")
    late = spent - procedure.rto
    goes = waits or ("on track" if run.failure is None else "waits for you")
    return f"{clock(spent)} of {clock(procedure.rto)}, " + (goes if held else f"{clock(late)} over")


def waits_for_a_worker(seen: HeaderData) -> str:
    """Since when nobody carries the run out; nothing while somebody does, or it waits for people."""
    run = seen.run
    at_work = run.finished is None and run.failure is None and not run.asking
    if not at_work or (seen.worker and (len(seen.entries) > 1 or seen.progress)):
        return ""
    since = max(timedelta(), seen.now - seen.entries[-1].at)
    return f"waiting for a worker for {int(since.total_seconds())} s"


def blocks(seen: HeaderData) -> list[Block]:
    """The header as Slack shows it."""
    run = seen.run
    spent = rto(seen.procedure, run, seen.now, waits_for_a_worker(seen))
    state = f"*{state_text(seen.procedure, run)}* · {spent}\n{_far(seen)}".rstrip()
    made = [
        *glass(run.glass),
        section(f"*{escape(summary_of(seen.entries) or f'{run.procedure} of {run.service}')}*"),
        {**section(state), "accessory": pages.opens(pages.STEPS, run.id)},
    ]
    if not seen.worker and run.finished is None:
        made.append(section("No worker is alive, so the run waits. Start one: `mayday worker`"))
    return [*made, small(_people(seen)), *actions(_stop(run))]


def glass(broken: dict[str, Any] | None) -> list[Block]:
    """The first line of a thread and of a report where whoever asked went on alone."""
    return [section(f"*{escape(in_words(broken))}*")] if broken else []


def text(seen: HeaderData) -> str:
    """The header as a notification reads it."""
    alone = "Approved by one person alone. " if seen.run.glass else ""
    return (
        f"{alone}{seen.run.procedure} of {seen.run.service}: {state_text(seen.procedure, seen.run)} (run {seen.run.id})"
    )


def signature(seen: HeaderData) -> str:
    """Changes when a person must see it at once; the clock and the progress are not in it."""
    run = seen.run
    facts = (
        run.finished,
        run.failure,
        run.question and run.question.n,
        bool(run.answered),
        run.stop_asked,
        run.undoing,
        run.open_step,
        len(run.done),
        len(run.undone),
        seen.worker,
        bool(run.glass),
    )
    return repr(facts)


def _far(seen: HeaderData) -> str:
    """How many steps are done; how far the present one is, and how much longer at this speed."""
    run, procedure = seen.run, seen.procedure
    said = [f"{len(run.done)} of {len(procedure.steps)} steps"] if procedure is not None else []
    if run.undoing is not None:
        said.append(f"{len(run.undone)} taken back")
    if run.finished is not None:
        return " · ".join(said)
    return " · ".join([*said, *_items(seen), *_ahead(seen)])


def _items(seen: HeaderData) -> list[str]:
    """How many items of the loop that is under way are done."""
    items = seen.run.items.get(seen.run.open_step) if seen.run.open_step is not None else None
    return [f"{len(items.done)} of {len(items.all)}"] if items is not None else []


def _ahead(seen: HeaderData) -> list[str]:
    """What the present step tells of itself."""
    made, at = seen.progress, _present(seen)
    if not made or at is None or made.get("step") not in (None, at):
        return []
    done, total = float(made.get("done") or 0), float(made.get("total") or 0)
    said = [escape(made["text"])] if made.get("text") else []
    if total > 0:
        left = _left(seen, made, done, total)
        percent = f"{min(100, int(100 * done / total))} %"
        said.append(f"{percent}, {_span(left)} left" if left is not None else percent)
    return said


def _span(left: timedelta) -> str:
    seconds = left.total_seconds()
    return f"{seconds:.0f} s" if seconds < 60 else f"{clock(left)} min"


def _present(seen: HeaderData) -> int | None:
    """The act that has begun, or the look that is made: of that the journal tells only once it is over."""
    run, procedure = seen.run, seen.procedure
    if run.open_step is not None or procedure is None:
        return run.open_step
    at = next((i for i in range(len(procedure.steps)) if i not in run.done), None)
    looks = run.finished is None and run.failure is None and run.undoing is None
    return at if looks and at is not None and isinstance(procedure.steps[at], Look) else None


def _left(seen: HeaderData, made: dict[str, Any], done: float, total: float) -> timedelta | None:
    if done <= 0 or done > total:
        return None
    if seen.run.open_step is None:
        return timedelta(seconds=float(made.get("seconds") or 0)) * ((total - done) / done)
    # Of a loop all items count, from the moment when it began.
    began = next((e.at for e in reversed(seen.entries) if e.kind in _BEGINS and _whole(e)), None)
    return (seen.now - began) * ((total - done) / done) if began is not None else None


def _whole(entry: Entry) -> bool:
    return entry.kind is not Kind.BEGAN or "item" not in entry.data


def _people(seen: HeaderData) -> str:
    first = seen.entries[0].data
    where = ", in a terminal" if seen.run.origin.get("sink") == "terminal" else ""
    said = [f"Asked by {person(first['by'], first.get('name'))}{where}"]
    chose = (e.data for e in seen.entries if e.kind is Kind.ANSWERED)
    said += [f"{person(d['by'], d.get('name'))} chose {escape(d['option'])}" for d in chose]
    said += [f"child of run `{escape(seen.run.parent)}`"] if seen.run.parent else []
    return " · ".join([*said, f"run `{seen.run.id}`", escape(seen.run.site)])


def _stop(run: Run) -> list[Block]:
    at_work = run.finished is None and run.failure is None and not run.asking and not run.stop_asked
    return [button(STOP, "steer:stop", run.id, "danger")] if at_work and run.undoing is None else []
