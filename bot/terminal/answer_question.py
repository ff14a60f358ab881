"""Answering in a terminal: who may, what is typed back, the one-time code; then the same answer as in Slack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from actions.control.answers import choice, short
from actions.engine.break_glass import BreakGlass
from actions.engine.errors import Refused
from actions.engine.journal import Entry
from actions.engine.procedure import MayAnswer
from actions.engine.run import Run
from actions.engine.run_parts import Question
from bot.runs import run_control
from bot.runs.button_target import ButtonTarget
from bot.terminal import run_shown
from bot.terminal.session import Session

_TO_COME = "a reason that is still to be asked for"


@dataclass(frozen=True)
class Given:
    """What was said on the command line: the typed text, the one-time code, and why there is no second person."""

    typed: str = ""
    code: str = ""
    alone: bool = False
    reason: str = ""


def answer(session: Session, run_id: str, label: str, given: Given) -> Entry | None:
    """Answer the open question of a run.

    Raises:
        Refused: nobody asks, this person may not, or what was typed does not fit.
    """
    run = run_control.find(session.bot, run_id)
    question = open_question(run)
    speaker, glass = session.person.speaker, _glass(session, given)

    def judged(wish: BreakGlass | None) -> dict[str, Any]:
        return choice(run, question.n, label, speaker, session.store.clock(), wish)

    # Judged before anybody types: neither words nor a code shall be spent on an answer that cannot count.
    option = judged(replace(glass, reason=glass.reason or _TO_COME) if glass else None)
    if glass is not None and not glass.reason:
        glass = replace(glass, reason=session.ask("Why it cannot wait", "--reason"))
        judged(glass)
    _show_again(session, run, question, option)
    text = _typed(session, run, option, given)
    if option["who"] == MayAnswer.SECOND:
        secret = session.keys.secret(session.operator)
        code = given.code or session.ask("One-time code", "--code", hidden=True)
        session.codes.must_be_right(secret, code)
    press = ButtonTarget(run.id, question.n, str(option["label"]))
    return run_control.answer(session.bot, press, speaker, text, glass)


def _show_again(session: Session, run: Run, question: Question, option: dict[str, Any]) -> None:
    """What is approved, before anything is typed: the card, and what this answer does."""
    if session.as_json:
        return
    (asked,) = session.store.entries(run.id, question.n - 1, 1)
    run_shown.card(session.out, asked)
    if option.get("does"):
        session.out.print(f"{option['label']}: {option['does']}", markup=False)


def approval(run: Run) -> str:
    """The label of the first option that a second person may choose; others of theirs are chosen by `answer`.

    Raises:
        Refused: no such approval is waited for.
    """
    question = open_question(run)
    if label := run_shown.approval(run):
        return label
    raise Refused(
        f"Run {run.id} does not wait for the approval of a second person.",
        code="MD-CMD-009",
        detail=f"It asks: {question.title}",
        hint=run_shown.how_to_answer(run),
    )


def open_question(run: Run) -> Question:
    """The question that is open now.

    Raises:
        Refused: there is none.
    """
    if run.question is None or not run.asking:
        raise Refused(
            f"Run {run.id} asks nothing now.", code="MD-CMD-010", hint=f"See where it is: mayday show {run.id}"
        )
    return run.question


def _glass(session: Session, given: Given) -> BreakGlass | None:
    if not given.alone:
        if given.reason:
            raise Refused(
                "A reason is only given for going on alone.",
                code="MD-CMD-011",
                hint="Add --alone, or leave --reason out.",
            )
        return None
    return BreakGlass(given.reason, session.settings.operators.glass)


def _typed(session: Session, run: Run, option: dict[str, Any], given: Given) -> str:
    """What has to be typed for an option; the plan's hash is compared here, the rest where the answer is judged."""
    procedure = session.bot.procedure(run.procedure)
    if run_shown.is_typed_back(procedure, open_question(run), option):
        plan = short(open_question(run).plan)
        typed = given.typed or session.ask("Type the plan's hash, as it stands below the plan", "--type")
        if typed.strip().casefold() != plan:
            raise Refused(
                "That is not the hash of this plan.",
                code="MD-CMD-012",
                detail=f"Typed: '{typed.strip()[:80]}'.",
                hint=f"Read the plan; the hash stands below it: mayday show {run.id}",
            )
        return plan if option["types"] == "service" else ""
    if option["types"] == "when":
        return given.typed or session.ask("Which other time", "--type")
    if option["types"] == "note":
        return given.typed or session.ask("What was done, or why it cannot be, in a few words", "--type")
    if option["types"] == "service":
        return given.typed or session.ask("Type the service's name", "--type")
    return given.typed
