"""What people say to a run, by button or by word: answers, stop, retry, undo."""

from __future__ import annotations

from typing import Any

from actions.control import answers
from actions.engine.break_glass import BreakGlass
from actions.engine.errors import NOT_READ, Refused
from actions.engine.fact_roles import fact_with
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import FactRole, Procedure
from actions.engine.reading import Asker
from actions.engine.rights import Speaker
from actions.engine.run import Run
from actions.store.notes import post
from bot.context import BotContext
from bot.runs.button_target import ButtonTarget
from bot.runs.requests import header_key
from bot.who_may import who_may_approve


def find(bot: BotContext, run: str) -> Run:
    """The run of that id.

    Raises:
        Refused: there is none.
    """
    try:
        return bot.store.run(run)
    except KeyError:
        raise Refused(f"There is no run {run[:40]}.", code="MD-CMD-006", hint="/recover runs lists them.") from None
    except NOT_READ as trouble:
        raise Refused(
            f"The journal of run {run[:40]} cannot be read.",
            code="MD-CMD-035",
            detail=f"{type(trouble).__name__}: {str(trouble)[:200]}",
            hint="On the bot's host: mayday journal verify",
        ) from trouble


def run_of_thread(bot: BotContext, channel: str, thread: str) -> str:
    """The newest run whose header stands in that thread, or an empty text."""
    for run in filter(lambda run: not is_errand(run), bot.store.runs()):
        if not bot.store.readable([run]):
            continue
        header = post(bot.store, header_key(bot.store.run(run))) or {}
        if thread and header.get("channel") == channel and thread in (header.get("ts"), header.get("thread")):
            return run
    return ""


def answer(
    bot: BotContext,
    press: ButtonTarget,
    speaker: Speaker,
    text: str = "",
    glass: BreakGlass | None = None,
    key: str = "",
) -> Entry | None:
    """Answer a question. A second press of the same person on the same button says nothing new.

    Raises:
        Refused: somebody else answered, this person may not, or the typed text does not fit.
    """
    another = _another(bot, press, text)
    try:
        entry = answers.answer(bot.store, press.run, press.question, press.label, speaker, text, glass, key, another)
    except Refused as refused:
        if _said_so_already(bot, press, speaker):
            return None
        raise pointed(bot, refused, speaker) from None
    bot.wake_worker(press.run)
    return entry


def _another(bot: BotContext, press: ButtonTarget, text: str) -> Any:
    """The request for another time, None where none is wanted: a typing mistake must not cost the clone."""
    run = find(bot, press.run)
    asked = run.question if run.question and run.question.n == press.question else None
    procedure = bot.procedure(run.procedure)
    when = asked and any(o["label"] == press.label and o.get("types") == "when" for o in asked.options)
    if not when or procedure is None:
        return None
    # Bare times mean what they meant to whoever asked for this run.
    zone = run.request.get("zone")
    asker = Asker(bot.clock(), bot.settings.operations_zone, str(zone) if zone else None, run.service)
    return procedure.words.read(text, asker)


def typed_by(bot: BotContext, press: ButtonTarget) -> str:
    """What somebody has to type to choose that: `service`, `when`, or nothing.

    Raises:
        Refused: the question is not open any more.
    """
    run = find(bot, press.run)
    if run.question is None or run.question.n != press.question or run.answered is not None:
        raise Refused(
            "That question is no longer open.",
            code="MD-CMD-007",
            detail=settled_by(bot, press),
            hint="Look at the newest message of the thread.",
        )
    return next((str(o.get("types") or "") for o in run.question.options if o["label"] == press.label), "")


def offered(bot: BotContext, press: ButtonTarget) -> str:
    """The command that a button beside a question stands for.

    Raises:
        Refused: the question is not open any more, or offers no such thing.
    """
    typed_by(bot, press)
    asked = next((entry for entry in bot.store.entries(press.run, press.question - 1, 1)), None)
    offers = (asked.data.get("offers") or []) if asked is not None else []
    command = next((str(offer["command"]) for offer in offers if offer["label"] == press.label), "")
    if not command:
        raise Refused(
            f"That question offers no '{press.label[:40]}'.",
            code="MD-CMD-067",
            hint="Look at the newest message of the thread.",
        )
    return command


def settled_by(bot: BotContext, press: ButtonTarget) -> str:
    """Who answered that question, as a sentence."""
    given = _answer_to(bot, press)
    if given is None:
        return ""
    return f"{given.data.get('name') or given.data.get('by')} chose {given.data['option']}."


def steer(bot: BotContext, how: str, run: str, speaker: Speaker, key: str = "") -> Entry | None:
    """Stop, retry or undo a run, once for each delivery `key`.

    Raises:
        Refused: it cannot be done now, or not by this person.
    """
    state = find(bot, run)
    try:
        entry = _steered(bot, how, state, speaker, key)
    except Refused as refused:
        raise pointed(bot, refused, speaker) from None
    if entry is not None:
        bot.wake_worker(run)
    return entry


def pointed(bot: BotContext, refused: Refused, speaker: Speaker) -> Refused:
    """The refusal; of somebody who lacks the right, with the names of those who have it."""
    names = who_may_approve(bot)
    if speaker.may_approve or speaker.unsure or not names or " may not " not in refused.message:
        return refused
    refused.hint = f"{refused.hint} These may: {names}.".strip()
    refused.add_note(refused.hint)
    return refused


def _steered(bot: BotContext, how: str, state: Run, speaker: Speaker, key: str) -> Entry | None:
    match how:
        case "stop":
            return answers.stop(bot.store, state.id, speaker, key)
        case "retry":
            return answers.retry(bot.store, state.id, speaker, key)
        case _:
            return _undo(bot, state, speaker, key)


def _undo(bot: BotContext, state: Run, speaker: Speaker, key: str) -> Entry | None:
    procedure = bot.procedure(state.procedure)
    if procedure is None:
        raise Refused(
            f"This version does not know the procedure {state.procedure}.",
            code="MD-CMD-008",
            hint="Start the version that began the run, and undo there.",
        )
    return answers.undo(bot.store, procedure, state.id, speaker, kept(procedure, state), key)


def kept(procedure: Procedure, run: Run) -> str:
    """Where the old data of a run lies, as the run itself noted it."""
    noted = fact_with(procedure, run, FactRole.KEPT)
    return str(noted.get("text") or noted.get("path") or "")


def _said_so_already(bot: BotContext, press: ButtonTarget, speaker: Speaker) -> bool:
    given = _answer_to(bot, press)
    return given is not None and given.data.get("by") == speaker.id and given.data.get("option") == press.label


def _answer_to(bot: BotContext, press: ButtonTarget) -> Entry | None:
    for entry in bot.store.entries(press.run, press.question):
        if entry.kind is Kind.ASKED:
            return None
        if entry.kind is Kind.ANSWERED:
            return entry
    return None
