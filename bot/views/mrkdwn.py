"""Text as Slack shows it: escaped, cut to its limits, times in the reader's own zone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

SECTION = 3000
PLAIN = 150
MARKER = " … (cut)"
Block = dict[str, Any]
_MARKS = re.compile(r"(?<![^\W_])[*_~]+|[*_~]+(?![^\W_]|[*_~])")
_ALIKE = str.maketrans(
    {
        "*": "\N{ASTERISK OPERATOR}",
        "_": "\N{MODIFIER LETTER LOW MACRON}",
        "~": "\N{TILDE OPERATOR}",
    }
)


def escape(text: object) -> str:
    """A text of ours or of somebody who may speak here, so that it can neither mention nor make links of its own."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def foreign(text: object) -> str:
    """A text from outside, such as an alert's title: one line, which marks nothing up either.

    Slack knows no escape for its marks, so those that could begin or end something are shown as signs that look alike;
    within a word, as in pg_wal, they do neither and are left. Bare addresses are left to `verbatim` in the blocks.
    """
    line = re.sub(r"\s+", " ", str(text)).replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")
    return escape(_MARKS.sub(lambda found: found[0].translate(_ALIKE), line))


def cut(text: str, most: int = SECTION) -> str:
    """The text, shortened with a marker where it is longer than Slack takes; a title or a label ends in "…"."""
    if len(text) <= most:
        return text
    marker = MARKER if most > PLAIN else "…"
    kept = text[: most - len(marker)]
    # A half of an entity like &amp; would be shown as it is.
    amp = kept.rfind("&", len(kept) - 5)
    return (kept if amp < 0 or ";" in kept[amp:] else kept[:amp]) + marker


def person(user: str, name: object = "") -> str:
    """A person as a link; somebody who did not come from Slack by name."""
    return f"<@{user}>" if user[:1] in ("U", "W") and user.isalnum() else escape(name or user)


def moment(at: datetime, ago: bool = False) -> str:
    """A moment in the reader's own zone, with UTC beside it. `ago` adds how long ago, as the reader's Slack counts it.

    Where it cannot be shown so, the date and UTC are left.
    """
    since = ", {ago}" if ago else ""
    at = at.astimezone(UTC)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time_secs}}{since}|{at:%Y-%m-%d}> ({at:%H:%M:%S} UTC)"


def until(at: datetime, now: datetime) -> str:
    """A moment soon to come, short, in the reader's own zone; one that is half a day ahead with its date."""
    far = "{date_short_pretty} " if at - now > timedelta(hours=12) else ""
    return f"<!date^{int(at.timestamp())}^{far}{{time}}|{at.astimezone(UTC):{'%Y-%m-%d ' if far else ''}%H:%M} UTC>"


def mention(id: str) -> str:
    """A person or a user group by their id, so that Slack tells them."""
    return f"<!subteam^{id}>" if id.startswith("S") else f"<@{id}>"


def clock(span: timedelta | float) -> str:
    """A span as a clock shows it: 6:12, 1:06:12."""
    seconds = int(span.total_seconds() if isinstance(span, timedelta) else span)
    minutes, rest = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def took(seconds: float) -> str:
    """How long something took, as people say it."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{clock(seconds)} min"


def mrkdwn(text: str, most: int = SECTION) -> Block:
    """Text with our marks. What looks like an address or a channel in it is none unless we wrote it as one."""
    return {"type": "mrkdwn", "text": cut(text, most), "verbatim": True}


def section(text: str) -> Block:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(text or " ")}


def paragraphs(lines: Iterable[str], most: int = SECTION) -> list[str]:
    """Lines in as few texts as hold them: none is cut that Slack takes whole."""
    made: list[str] = []
    for line in (cut(line, most) for line in lines):
        if made and len(made[-1]) + len(line) < most:
            made[-1] += f"\n{line}"
        else:
            made.append(line)
    return made


def title(text: str) -> Block:
    """A headline."""
    return {"type": "header", "text": {"type": "plain_text", "text": cut(text, PLAIN), "emoji": False}}


def small(text: str) -> Block:
    """A line in small print."""
    return {"type": "context", "elements": [mrkdwn(text, 2000)]}


def button(label: str, action: str, value: str, style: str = "", confirm: str = "") -> Block:
    """A button; with `confirm` Slack asks once more before it is pressed."""
    made: Block = {
        "type": "button",
        "action_id": action,
        "value": value,
        "text": {"type": "plain_text", "text": cut(label, 75), "emoji": False},
    }
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = {
            "title": {"type": "plain_text", "text": cut(label, 100)},
            "text": {"type": "plain_text", "text": cut(confirm, 300)},
            "confirm": {"type": "plain_text", "text": cut(label, 30)},
            "deny": {"type": "plain_text", "text": "Not now"},
        }
    return made


def actions(buttons: list[Block]) -> list[Block]:
    """Rows of as many buttons as Slack takes in one (25), or nothing."""
    return [{"type": "actions", "elements": buttons[i : i + 25]} for i in range(0, len(buttons), 25)]


def plain(blocks: Iterable[Block]) -> str:
    """The texts of some blocks without the blocks."""
    texts = ((block.get("text") or {}).get("text") for block in blocks if isinstance(block.get("text"), dict))
    return "\n".join(text for text in texts if text)


def size(value: Any) -> int:
    """How many characters of text are in some blocks."""
    if isinstance(value, list):
        return sum(size(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = sum(len(text) for key, text in value.items() if key in ("text", "title") and isinstance(text, str))
    return own + sum(size(item) for item in value.values())


def sendable(said: dict[str, Any]) -> dict[str, Any]:
    """Without halves of characters, for which Slack answers with an error of its own."""
    cleaned: dict[str, Any] = json.loads(json.dumps(said, ensure_ascii=False).encode(errors="replace"))
    return cleaned
