"""The two fields for a moment in a dialog: one to type in, and Slack's own date-time picker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.views.mrkdwn import Block, cut

TYPED, PICKED = "said", "picked"
FIELD = "field"
WINS = "The field that you change counts; of both, the typed one."


def fields(label: str, examples: Sequence[str], moment: datetime | None = None, field: str = FIELD) -> list[Block]:
    """The fields, with the moment already in them where one is known."""
    text: Block = {
        "type": "plain_text_input",
        "action_id": field,
        "max_length": 300,
        "placeholder": _plain(cut(", ".join(examples) or "14:30, 20m ago, latest", 150)),
    }
    picker: Block = {"type": "datetimepicker", "action_id": field}
    if moment is not None:
        text["initial_value"] = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        picker["initial_date_time"] = int(moment.timestamp())
    return [
        {"type": "input", "block_id": TYPED, "optional": True, "label": _plain(label), "element": text},
        {
            "type": "input",
            "block_id": PICKED,
            "optional": True,
            "label": _plain("Or pick it, in your own time zone"),
            "hint": _plain(WINS),
            "element": picker,
        },
    ]


def moment_of(view: dict[str, Any], field: str = FIELD) -> str:
    """The words for the moment that somebody gave: typed, else picked, else what was there before."""
    values = view["state"]["values"]
    typed = str(values.get(TYPED, {}).get(field, {}).get("value") or "").strip()
    picked = values.get(PICKED, {}).get(field, {}).get("selected_date_time")
    given = {str(b.get("block_id")): b.get("element") or {} for b in view.get("blocks") or []}
    typed_before = str(given.get(TYPED, {}).get("initial_value") or "")
    picked_before = given.get(PICKED, {}).get("initial_date_time")
    if picked and picked != picked_before and typed in ("", typed_before):
        return _words(int(picked))
    return typed or (_words(int(picked)) if picked else "")


def _words(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
