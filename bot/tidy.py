"""Making plain text of what people type and paste: quotes, spaces, dashes, emoji, Slack's own marks."""

from __future__ import annotations

import html
import re
import unicodedata

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
_DRESSING = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_UNSEEN = ("Cf", "Cc", "Cs", "Co", "Cn", "So", "Me")
_WRAPPING = "\"'*_~ "


def tidy(text: str) -> str:
    """The text on one line, in plain characters.

    Raises:
        Refused: it is longer than any command can be.
    """
    if len(text) > LONGEST:
        raise Refused("That text is too long to be a command.",
                      detail=f"It has {len(text)} characters; {LONGEST} are read.",
                      hint="Send the command alone, for example /recover help.")  # fmt: skip
    plain = _EMOJI_CODE.sub(" ", _LINK.sub(lambda found: found[1] or " ", text))
    plain = html.unescape(plain).translate(_SAME)
    seen = "".join(_visible(mark) for mark in plain)
    return " ".join(unicodedata.normalize("NFKC", seen).split())


def _visible(mark: str) -> str:
    """The character, a space where a line breaks, nothing where nobody sees anything."""
    if mark.isspace():
        return " "
    return "" if unicodedata.category(mark) in _UNSEEN or _DRESSING.match(mark) else mark


def bare(text: str) -> str:
    """The text without the quotes or marks around it."""
    return text.strip(_WRAPPING)
