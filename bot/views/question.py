"""A question with its card and its buttons; once it is settled, who chose what, and no buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.engine.journal import Entry, Kind
from actions.engine.procedure import MayAnswer, OptionEffect
from actions.engine.put_question import void_words
from bot.runs.button_target import ButtonTarget
from bot.views import decision_card, plan
from bot.views.mrkdwn import Block, actions, button, escape, mention, moment, person, section, small, until
from bot.views.steps import sentence


@dataclass(frozen=True)
class Askers:
    """Whom a question concerns: who asked for the run, as a mention or a name, empty where no person did; ids of those
    who may approve.

    `untold` is how many of them got no message of their own.
    """

    requester: str = ""
    approvers: tuple[str, ...] = ()
    untold: int = 0


def blocks(asked: Entry, settled: Entry | None, held: Entry | None = None, askers: Askers | None = None) -> list[Block]:
    """The question as it stands: open, perhaps held by somebody, or settled by that entry."""
    head = [section(f"*{escape(sentence(asked.data['title']))}*"), *decision_card.blocks(asked.data.get("card") or ())]
    if asked.data.get("hand"):
        head += plan.papers(asked.data.get("sheets") or [])
    if settled is not None:
        return [*head, section(outcome(settled))]
    given: list[dict[str, Any]] = asked.data["options"]
    options = [option for option in given if held is None or option["leads"] != OptionEffect.HOLD]
    row = [_button(asked, option, i) for i, option in enumerate(options)]
    row += [_offer(asked, offer, i) for i, offer in enumerate(asked.data.get("offers") or [])]
    return [*head, *actions(row), *_who_and_until(asked, options, held, askers or Askers("whoever asked"))]


def needs_second(options: Sequence[dict[str, Any]]) -> bool:
    """Whether one of the answers wants a second person."""
    return any(option.get("who") == MayAnswer.SECOND for option in options)


def _who_and_until(asked: Entry, options: list[dict[str, Any]], held: Entry | None, askers: Askers) -> list[Block]:
    """One line: who may press, and for how long. Where others are mentioned it is no small print, so that they hear."""
    line = f"{_who(options, askers)} · {_until(asked, held)}"
    if not needs_second(options) or not askers.approvers:
        return [small(line)]
    left = [small(f"{askers.untold:,} of them got no message of their own.")] if askers.untold else []
    return [section(line), *left]


def _who(options: list[dict[str, Any]], askers: Askers) -> str:
    """For example: @oncall or an approver. What no person asked for is anybody's who may ask."""
    anybody = f"{askers.requester or 'an operator'} or an approver"
    second = [f"*{escape(option['label'])}*" for option in options if option.get("who") == MayAnswer.SECOND]
    if not second:
        return anybody
    approvers = " ".join(map(mention, askers.approvers)) or "an approver"
    other = f", not {askers.requester}" if askers.requester else ""
    rest = f" · the others: {anybody}" if len(second) < len(options) else ""
    return f"{' and '.join(second)}: {approvers}{other}{rest}"


def _until(asked: Entry, held: Entry | None) -> str:
    """How long the question stays open, and what then."""
    if held is not None:
        return f"{person(held.data['by'], held.data.get('name'))} pressed *Hold*, so it waits until somebody answers"
    if not asked.data.get("expires_at"):
        return "open until somebody answers"
    at = until(datetime.fromisoformat(asked.data["expires_at"]), asked.at)
    if asked.data.get("silence") == OptionEffect.ON:
        first = escape(asked.data["options"][0]["label"])
        return f"goes on with *{first}* at {at} unless somebody answers; *Hold* stops that clock"
    return f"open until {at}"


def text(asked: Entry, settled: Entry | None) -> str:
    """The question as a notification reads it."""
    said = sentence(str(asked.data["title"]))
    return f"{escape(said)} {outcome(settled) if settled else 'Waits for an answer.'}"


def outcome(settled: Entry) -> str:
    """How a question was settled."""
    data = settled.data
    match settled.kind:
        case Kind.ANSWERED:
            typed = f" ({escape(data['text'])})" if data.get("text") else ""
            where = f" {escape(data['via'])}" if data.get("via") else ""
            alone = f" Alone: {escape(data['glass']['reason'])}" if data.get("glass") else ""
            chose = f"chose *{escape(data['option'])}*{typed}{where} {moment(settled.at)}.{alone}"
            return f"{person(data['by'], data.get('name'))} {chose}"
        case Kind.EXPIRED if data.get("option"):
            return f"Nobody answered in time: *{escape(data['option'])}* stands, and the run goes on."
        case Kind.EXPIRED:
            return "Nobody answered in time; the run goes back."
        case Kind.VOIDED:
            return f"{escape(void_words(data))} The question is put again."
        case Kind.UNDO_ASKED:
            return f"{person(data['by'], data.get('name'))} pressed Undo instead."
        case _:
            return "The run ended before an answer."


def _button(asked: Entry, option: dict[str, Any], i: int) -> Block:
    label = str(option["label"])
    style = "danger" if option.get("danger") else ("primary" if i == 0 else "")
    # A modal asks for itself; a confirm dialog before it would ask the same person twice.
    confirm = does(option) if option.get("danger") and not option.get("types") else ""
    return button(label, f"answer:{i}", ButtonTarget(asked.run, asked.n, label).value(), style, confirm)


def _offer(asked: Entry, offer: dict[str, Any], i: int) -> Block:
    """What may be looked at before answering. What it stands for is looked up when it is pressed."""
    label = str(offer["label"])
    return button(label, f"offer:{i}", ButtonTarget(asked.run, asked.n, label).value())


def does(option: dict[str, Any]) -> str:
    """What an answer does, in its own words; of one that has none, that it is final."""
    return str(option.get("does") or f"{option['label']} begins at once, and no other button takes it back.")
