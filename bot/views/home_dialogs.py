"""The dialogs of the home tab: which recovery, and what came of a press."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import unescape

from bot.views import moment_fields
from bot.views.mrkdwn import Block, cut, plain, section

CALLBACK = "home:recover"
WHICH, TEXT = "which", moment_fields.TYPED
_FIELD = "value"


def recover(
    offered: Sequence[tuple[str, str]],
    moment: datetime | None = None,
    seen: str = "",
) -> Block:
    """Which recovery, and to what; the plan is shown in its thread before anything is touched.

    `offered` are commands with a label each, `seen` tells what was seen to be lost, `moment` is the one before that.
    """
    if not offered:
        return told("No recovery can be begun here.")
    options = [
        {"text": {"type": "plain_text", "text": cut(label, 75)}, "value": cut(command, 150)}
        for command, label in offered
    ]
    which = {"type": "static_select", "action_id": _FIELD, "options": options[:100], "initial_option": options[0]}
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": {"type": "plain_text", "text": "Recover"},
        "submit": {"type": "plain_text", "text": "Make a plan"},
        "close": {"type": "plain_text", "text": "Back"},
        "blocks": [
            *([section(seen)] if seen else []),
            section("The plan comes into a thread. Nothing is touched before somebody agrees to it."),
            {"type": "input", "block_id": WHICH, "label": {"type": "plain_text", "text": "Recovery"}, "element": which},
            *moment_fields.fields("To which moment, or what else it takes", (), moment, _FIELD),
        ],
    }


def filled(view: Block) -> tuple[str, str]:
    """The command that was chosen, and what was typed after it."""
    values = view["state"]["values"]
    chosen = values.get(WHICH, {}).get(_FIELD, {}).get("selected_option") or {}
    return str(chosen.get("value") or ""), moment_fields.moment_of(view, _FIELD)


def told(text: str) -> Block:
    """A dialog that only says something."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Mayday"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [section(text)],
    }


def text_of(view: Block) -> str:
    """What a dialog that only says something says; empty for one that asks."""
    return "" if view.get("submit") else plain(view["blocks"])


def bare(text: str) -> str:
    """A text for a place that knows no markup."""
    return unescape(text).replace("`", "")[:2000]
