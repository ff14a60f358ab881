"""A question with its buttons; once it is settled, who chose what, and no buttons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actions.engine.journal import Entry, Kind
from actions.engine.procedure import MayAnswer, OptionEffect
from actions.engine.put_question import void_words
from bot.button_target import ButtonTarget
from bot.views import plan
from bot.views.mrkdwn import Block, actions, button, escape, moment, person, section, small
from bot.views.steps import sentence


def blocks(asked: Entry, settled: Entry | None, held: Entry | None = None) -> list[Block]:
    """The question as it stands: open, perhaps held by somebody, or settled by that entry."""
    head = [section(f"*{escape(sentence(asked.data['title']))}*")]
    if asked.data.get("hand"):
        head += plan.papers(asked.data.get("sheets") or [])
    if settled is not None:
        return [*head, section(outcome(settled))]
    given: list[dict[str, Any]] = asked.data["options"]
    options = [option for option in given if held is None or option["leads"] != OptionEffect.HOLD]
    row = [_button(asked, option, i) for i, option in enumerate(options)]
    row += [_offer(asked, offer, i) for i, offer in enumerate(asked.data.get("offers") or [])]
    return [*head, *actions(row), small("\n".join([*map(_who, options), _until(asked, held)]))]


def _until(asked: Entry, held: Entry | None) -> str:
    """How long the question stays open, and what then."""
    if held is not None:
        return f"{person(held.data['by'], held.data.get('name'))} pressed *Hold*. It waits until somebody answers."
    if not asked.data.get("expires_at"):
        return "Waits until somebody answers."
    until = moment(datetime.fromisoformat(asked.data["expires_at"]))
    if asked.data.get("silence") == OptionEffect.ON:
        first = escape(asked.data["options"][0]["label"])
        return f"Goes on with *{first}* {until}, unless somebody answers before. *Hold* stops that clock."
    return f"Open until {until}."


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
    sure = f"{label}: this cannot be taken back by pressing another button."
    confirm = sure if option.get("danger") and not option.get("types") else ""
    return button(label, f"answer:{i}", ButtonTarget(asked.run, asked.n, label).value(), style, confirm)


def _offer(asked: Entry, offer: dict[str, Any], i: int) -> Block:
    """What may be looked at before answering. What it stands for is looked up when it is pressed."""
    label = str(offer["label"])
    return button(label, f"offer:{i}", ButtonTarget(asked.run, asked.n, label).value())


def _who(option: dict[str, Any]) -> str:
    label = escape(option["label"])
    if option.get("who") == MayAnswer.SECOND:
        return f"{label}: a second person who may approve" + _typing(option)
    return f"{label}: who asked, or anybody who may approve" + _typing(option)


def _typing(option: dict[str, Any]) -> str:
    typed = {
        "service": ", typing the service's name",
        "when": ", typing the other time",
        "note": ", with a few words that stay on the record",
    }
    return typed.get(str(option.get("types") or ""), "") + "."
