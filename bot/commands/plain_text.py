"""Making plain text of what people type and paste: quotes, spaces, dashes, emoji, Slack's own marks."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from actions.engine.errors import Refused

LONGEST = 3000
_SAME = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛‹›′`´", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
# A code begins with a letter and follows no digit, so that 14:30:05 keeps its middle.
_EMOJI_CODE = re.compile(r"(?<![\w:]):[a-z+][a-z0-9_+'-]*:(?![\w])", re.IGNORECASE)
_LINK = re.compile(r"<(?:https?|mailto|tel):[^>|]*(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|([^>]*))?>")
_GROUP = re.compile(r"<!(?:subteam\^[A-Z0-9]+|date\^[^>|]*)(?:\|([^>]*))?>")
_CALL = re.compile(r"<!(here|channel|everyone)(?:\|[^>]*)?>")
_PERSON = re.compile(r"<@([A-Z0-9]+)(?:\|([^>]*))?>")
_NAMED_LINK = re.compile(r"<((?:https?|mailto|tel):[^>|]*)(?:\|([^>]*))?>")
_DRESSING = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_UNSEEN = ("Cf", "Cc", "Cs", "Co", "Cn", "So", "Me")
_WRAPPING = "\"'*_~ "


def tidy(text: str) -> str:
    """The text on one line, in plain characters.

    Raises:
        Refused: it is longer than any command can be.
    """
    if len(text) > LONGEST:
        raise Refused(
            "That text is too long to be a command.",
            code="MD-CMD-004",
            detail=f"It has {len(text)} characters; {LONGEST} are read.",
            hint="Send the command alone, for example /recover help.",
        )
    plain = _EMOJI_CODE.sub(" ", _unmarked(_LINK.sub(lambda found: found[1] or " ", text)))
    plain = html.unescape(plain).translate(_SAME)
    seen = "".join(_visible(mark) for mark in plain)
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def worded(text: str, name_of: Callable[[str], str]) -> str:
    """What somebody wrote as others read it: Slack's own marks as names and addresses, its escapes as characters."""
    named = _PERSON.sub(lambda found: f"@{found[2] or name_of(found[1]) or found[1]}", text)
    linked = _NAMED_LINK.sub(_link, named)
    return html.unescape(_unmarked(linked))


def _link(found: re.Match[str]) -> str:
    address, label = found[1], found[2] or ""
    bare_address = address.removeprefix("mailto:").removeprefix("tel:")
    return f"{label} ({bare_address})" if label and label not in (address, bare_address) else bare_address


def _unmarked(text: str) -> str:
    """Channels, groups, calls and dates by their names. A person's mark stays: commands look for it."""
    text = _CHANNEL.sub(lambda found: f"#{found[2] or found[1]}", text)
    text = _GROUP.sub(lambda found: found[1] or "a group", text)
    return _CALL.sub(r"@\1", text)


def _visible(mark: str) -> str:
    """The character, a space where a line breaks, nothing where nobody sees anything."""
    if mark.isspace():
        return " "
    return "" if unicodedata.category(mark) in _UNSEEN or _DRESSING.match(mark) else mark


def bare(text: str) -> str:
    """The text without the quotes or marks around it."""
    return text.strip(_WRAPPING)
