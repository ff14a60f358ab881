"""The dialogs of answers that have to be typed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.runs.button_target import ButtonTarget
from bot.views.mrkdwn import Block, cut, section

CALLBACK = "answer"
BLOCK = "typed"
FIELD = "text"
_SEPARATOR = "\n"


def ask(press: ButtonTarget, types: str, service: str, repeated: Sequence[Block] = (), channel: str = "") -> Block:
    """Ask for the service's name, for the other time, or for a few words, below what is `repeated` of the question.

    `channel` is where the button stood, so that what is told later is told there.
    """
    label, hint, placeholder = _words(types, service)
    element = {
        "type": "plain_text_input",
        "action_id": FIELD,
        "max_length": 300,
        "placeholder": {"type": "plain_text", "text": cut(placeholder, 150)},
    }
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": _SEPARATOR.join(filter(None, (press.value(), channel))),
        "title": {"type": "plain_text", "text": cut(press.label, 24)},
        "submit": {"type": "plain_text", "text": cut(press.label, 24)},
        "close": {"type": "plain_text", "text": "Back"},
        "blocks": [
            *repeated,
            section(hint),
            {
                "type": "input",
                "block_id": BLOCK,
                "label": {"type": "plain_text", "text": cut(label, 2000)},
                "element": element,
            },
        ],
    }


def target(view: Block) -> ButtonTarget:
    """What the button that opened the dialog points at."""
    return ButtonTarget.of(str(view["private_metadata"]).partition(_SEPARATOR)[0])


def channel_of(view: Block) -> str:
    """Where that button stood; empty in a dialog that an earlier version opened."""
    return str(view["private_metadata"]).partition(_SEPARATOR)[2]


def typed(view: Block) -> str:
    """What somebody typed into the dialog."""
    value = view["state"]["values"].get(BLOCK, {}).get(FIELD, {}).get("value")
    return str(value or "")


def _words(types: str, service: str) -> tuple[str, str, str]:
    if types == "when":
        hint = "This run is discarded and a new one begins for the other time. The live data stays as it is."
        return "Recover to which time?", hint, "14:25, 20m ago, before lsn 0/5A3F2C8"
    if types == "note":
        hint = "Your words stay in the run's journal, with your name."
        return "What was done, or why it cannot be", hint, "Restarted it by its console; it serves again"
    hint = f"Type `{service}` to confirm that it is meant."
    return "Name of the service", hint, service
