"""Tidying what people paste, and helping with what cannot be understood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from actions.clock.zones import WhenError

FORMS = (
    "14:30, 14:30:05, 2:30pm, 2026-02-09 14:30, 14:30 Europe/Berlin, yesterday 14:30, 20m ago, "
    "before xid 91822, before lsn 0/5A3F2C8, latest"
)
LONGEST = 120
_QUOTES = "\"'`“”„‟‘’‚‛«»‹›*_<>"
_DASHES = str.maketrans({"‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "∶": ":", "：": ":"})
_VOCABULARY = (
    "latest",
    "now",
    "ago",
    "before",
    "xid",
    "lsn",
    "yesterday",
    "today",
    "minutes",
    "hours",
    "seconds",
    "days",
    "utc",
)
_DATE_ORDER = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})\b(.*)", re.ASCII)


def tidy(text: str) -> str:
    """Lower case, plain spaces and dashes, no quotes around it, no invisible characters."""
    if len(text) > 4 * LONGEST:
        raise _too_long(text)
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    visible = "".join(mark for mark in plain if mark.isspace() or unicodedata.category(mark) not in ("Cf", "Cc", "Mn"))
    words = " ".join(visible.split()).strip(_QUOTES + " ").lower().rstrip(".,;")
    if len(words) > LONGEST:
        raise _too_long(text)
    return words


def _too_long(text: str) -> WhenError:
    return WhenError(
        "That is too long to be a moment.",
        code="MD-WHEN-001",
        detail=f"{len(text)} characters were given.",
        hint=f"It can be: {FORMS}.",
    )


def refuse(text: str, words: str, accepts: Callable[[str], bool]) -> WhenError:
    """The error for something not understood, with the nearest form that would be."""
    nearest = next((guess for guess in _guesses(words) if accepts(guess)), None)
    if not words:
        return WhenError("No moment was given.", code="MD-WHEN-002", hint=f"It can be: {FORMS}.")
    question = f"Did you mean “{nearest}”? " if nearest else ""
    return WhenError(
        f"“{_shorten(words)}” is not a moment that I understand.",
        code="MD-WHEN-003",
        detail=f"Nothing was looked up or changed for {_shorten(text)!r}.",
        hint=f"{question}It can be: {FORMS}.",
    )


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _guesses(words: str) -> Iterator[str]:
    yield re.sub(
        r"\b(\d{1,2})[.h](\d{2})(?:[.](\d{2}))?\b", lambda m: ":".join(part for part in m.groups() if part), words
    )
    yield re.sub(r"(?<![\d-])(\d{1,2})(\d{2})(?![\d-])", r"\1:\2", words)
    yield f"{words} ago"
    yield f"before {words}"
    yield f"before lsn {words}"
    yield f"{words} 00:00"
    yield re.sub(r"^(?:before|around|about|from|since|until|till|to|just before)\s+", "", words)
    yield from _iso_dates(words)
    yield _spelled(words)


def _iso_dates(words: str) -> Iterator[str]:
    if match := _DATE_ORDER.fullmatch(words):
        first, second, year, rest = match[1].zfill(2), match[2].zfill(2), match[3], match[4].strip(", ") or "00:00"
        yield f"{year}-{second}-{first} {rest}"
        yield f"{year}-{first}-{second} {rest}"


def _spelled(words: str) -> str:
    """Each word replaced by the one it resembles: “yesterdya 14:30”, “lattest”."""
    return " ".join(
        (get_close_matches(word, _VOCABULARY, n=1, cutoff=0.7) or [word])[0] if word.isalpha() else word
        for word in words.split()
    )
