"""What people say to a run: an answer, a stop, a retry, an undo. Judged in the moment that it is written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actions.engine.break_glass import BreakGlass, broken
from actions.engine.errors import Refused
from actions.engine.facts import to_json
from actions.engine.journal import Entry, Kind
from actions.engine.no_return import passed_no_return
from actions.engine.procedure import OptionEffect, Procedure
from actions.engine.rights import Speaker, may_choose, may_go_alone, may_steer
from actions.engine.run import Run
from actions.engine.run_parts import Question
from actions.redact import redact
from actions.store.store import Store
from actions.store.transaction import Draft
from actions.wording import shortened

_SHORT = 8
_LONGEST_TEXT = 3000


def short(plan: str) -> str:
    """A plan's hash as people type it back."""
    return plan[:_SHORT]


def answer(
    store: Store,
    run: str,
    question: int,
    label: str,
    speaker: Speaker,
    text: str = "",
    glass: BreakGlass | None = None,
    key: str = "",
    another: Any = None,
) -> Entry | None:
    """Answer an open question by the label of an option. `question` is the entry that put it.

    `another` is the request for the other time that an answer wants, as it was read: it is looked at before it counts.
    With `key` it counts once for each delivery, as do `stop`, `retry` and `undo`; what is refused may come again.

    Raises:
        Refused: nobody asks that (any more), this person may not answer so, or the typed text does not fit.
    """

    def judge(state: Run) -> Draft | None:
        if _held_already(state, question, label):
            return None
        option = choice(state, question, label, speaker, store.clock(), glass)
        assert state.question is not None
        if option["leads"] == OptionEffect.HOLD:
            said = {"title": state.question.title, "option": option["label"], "leads": option["leads"]}
            return Kind.HELD, state.question.step, {**_who(speaker), **said}
        _typed(state, option, text, state.question.plan)
        said = _answered(state.question, option, speaker, str(option.get("text") or text))
        if option["leads"] == OptionEffect.AGAIN and another is not None:
            said = {**said, "request": to_json(another)}
        more = {"glass": broken(glass, state.question, store.clock())} if glass else {}
        return Kind.ANSWERED, state.question.step, {**said, **more}

    return store.speak(run, judge, key)


def _answered(question: Question, option: dict[str, Any], speaker: Speaker, text: str) -> dict[str, Any]:
    chosen = {name: option[name] for name in ("leads", "gives")}
    by_hand = {"hand": True, "title": question.title} if question.hand else {}
    item = {"item": question.item} if question.item else {}
    return {
        "option": option["label"],
        **chosen,
        **_who(speaker),
        # A note of what was done by hand may hold the command that was typed.
        "text": shortened(redact(shortened(text, _LONGEST_TEXT)), _LONGEST_TEXT),
        "plan": question.plan,
        **by_hand,
        **item,
    }


def choice(
    state: Run, question: int, label: str, speaker: Speaker, now: datetime, glass: BreakGlass | None = None
) -> dict[str, Any]:
    """The option that somebody may choose now, as the question has it.

    Raises:
        Refused: nobody asks that (any more), there is no such option, or this person may not choose it.
    """
    open_question = _open(state, question, now)
    option = _option(open_question, label)
    if glass is not None:
        may_go_alone(state, open_question, option, speaker, now, glass)
    else:
        may_choose(state, option, speaker)
    return option


def stop(store: Store, run: str, speaker: Speaker, key: str = "") -> Entry | None:
    """Ask a run to stop at its next safe place."""

    def judge(state: Run) -> Draft | None:
        may_steer(state, speaker)
        _unfinished(state)
        if state.failure is not None or state.asking:
            raise Refused(
                "The run is not doing anything now.",
                code="MD-RUN-002",
                detail="It waits for a person already.",
                hint="Answer its question, or undo it.",
            )
        return None if state.stop_asked else (Kind.STOP_ASKED, None, _who(speaker))

    return store.speak(run, judge, key)


def retry(store: Store, run: str, speaker: Speaker, key: str = "") -> Entry | None:
    """Go on after a failure or a stop."""

    def judge(state: Run) -> Draft | None:
        may_steer(state, speaker)
        _unfinished(state)
        if state.failure is None:
            return None
        return Kind.RETRIED, state.failure.step, _who(speaker)

    return store.speak(run, judge, key)


def undo(
    store: Store, procedure: Procedure, run: str, speaker: Speaker, why_not: str = "", key: str = ""
) -> Entry | None:
    """Take everything back that the run did, newest first.

    Raises:
        Refused: new writes were accepted (`why_not` says where the old data lies), or the run has ended.
    """

    def judge(state: Run) -> Draft | None:
        may_steer(state, speaker)
        # Asked before whether the run has ended: whoever comes late has to be told where the old data lies.
        if passed_no_return(procedure, state):
            raise Refused(
                "This run can no longer be undone: new writes were accepted.",
                code="MD-RUN-003",
                detail=why_not,
                hint="Recover to another moment instead, or copy rows out of the old data by hand.",
            )
        _unfinished(state)
        if state.undoing is not None and state.failure is None:
            return None
        if state.failure is None and not state.asking:
            raise Refused(
                "The run is at work.", code="MD-RUN-004", hint="Press Stop first; it ends at its next safe place."
            )
        return Kind.UNDO_ASKED, None, _who(speaker)

    return store.speak(run, judge, key)


def _who(speaker: Speaker) -> dict[str, Any]:
    return {"by": speaker.id, "name": speaker.name, **({"via": speaker.via} if speaker.via else {})}


def _open(state: Run, question: int, now: datetime) -> Question:
    if state.question is None or state.question.n != question:
        raise Refused(
            "That question is no longer open.",
            code="MD-RUN-005",
            detail=_since(state),
            hint="Look at the newest message.",
        )
    if state.answered is not None:
        raise Refused(
            "That question was answered already.", code="MD-RUN-006", detail=_since(state), hint="Nothing more to do."
        )
    expires = state.question.expires_at
    if expires is not None and now >= expires:
        raise Refused(
            "That question has expired.",
            code="MD-RUN-007",
            detail=f"It could be answered until {expires:%H:%M} UTC.",
            hint=_after(state.question),
        )
    return state.question


def _after(question: Question) -> str:
    if question.on_silence is not None:
        return f"The run goes on with {question.on_silence['label']}. Stop it, if that is not wanted."
    return "The run is being taken back. Ask anew when it has ended."


def _held_already(state: Run, question: int, label: str) -> bool:
    """Two people may press Hold at once; the second finds what they wanted."""
    asked = state.question
    held = asked is not None and asked.n == question and asked.silence is OptionEffect.ON and asked.expires_at is None
    return held and state.answered is None and label.strip().casefold() == "hold"


def _since(state: Run) -> str:
    if state.answered and state.answered.get("name"):
        return f"{state.answered['name']} chose {state.answered['option']}."
    return f"The run ended: {state.finished}." if state.finished else "The run went on since."


def _option(question: Question, label: str) -> dict[str, Any]:
    for option in question.options:
        if option["label"].casefold() == label.strip().casefold():
            return option
    labels = ", ".join(option["label"] for option in question.options)
    raise Refused(
        f"'{label}' is not an answer to that question.", code="MD-RUN-008", hint=f"The answers are: {labels}."
    )


def _unfinished(state: Run) -> None:
    if state.finished is not None:
        raise Refused(
            f"Run {state.id} has ended: {state.finished}.", code="MD-RUN-009", hint="Start a new one with /recover."
        )


def _typed(state: Run, option: dict[str, Any], text: str, plan: str) -> None:
    # Slack has the service's name typed, the terminal the plan's hash.
    if option["types"] == "service" and text.strip() not in {state.service, short(plan)} - {""}:
        raise Refused(
            "The typed name does not match.",
            code="MD-RUN-010",
            detail=f"Typed: '{text.strip()[:80]}'.",
            hint=f"Type {state.service} to confirm that it is meant.",
        )
    if option["types"] == "note" and not text.strip():
        raise Refused(
            "There is no note yet.", code="MD-RUN-011", hint="Say in a few words what was done, or why it cannot be."
        )
    if option["types"] == "when" and not text.strip():
        raise Refused("Which other time?", code="MD-RUN-012", hint="Type a time, for example 14:25 or 20m ago.")
