"""Tidying what people paste, and helping with what cannot be understood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from actions.clock.zones import WhenError

FORMS = (
    "14:30, 14:30:05, 2:30pm, 2026-02-09 14:30, Feb 9 14:30, 14:30 Europe/Berlin, yesterday 14:30, monday 14:30, "
    "20m ago, before xid 91822, before lsn 0/5A3F2C8, latest"
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
    "noon",
    "midnight",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_DATE_ORDER = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-]((?:20)?\d{2})\b(.*)", re.ASCII)


def tidy(text: str) -> str:
    """Lower case, plain spaces and dashes, no quotes around it, no invisible characters."""
    if len(text) > 4 * LONGEST:
        raise _too_long(text)
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    visible = "".join(mark for mark in plain if mark.isspace() or unicodedata.category(mark) not in ("Cf", "Cc", "Mn"))
    words = " ".join(visible.split()).strip(_QUOTES + " ").lower().rstrip(".,;!?")
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
        instead=(nearest,) if nearest else (),
    )


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _guesses(words: str) -> Iterator[str]:
    yield f"{words} 00:00"
    yield from _last_night(words)
    yield re.sub(r"^(\d{1,2})[ ;,-](\d{2})$", r"\1:\2", words)
    yield re.sub(
        r"\b(\d{1,2})[.h](\d{2})(?:[.](\d{2}))?\b", lambda m: ":".join(part for part in m.groups() if part), words
    )
    yield re.sub(r"(?<![\d-])(\d{1,2})(\d{2})(?![\d-])", r"\1:\2", words)
    yield re.sub(r"(?<!\d)(\d{1,2})$", r"\1:00", words)
    yield re.sub(r"^(?:-|t-)(?=\d)|^(?:in the |the )?last ", "", words) + " ago"
    yield f"{words} ago"
    yield f"before {words}"
    yield f"before lsn {words}"
    yield f"before xid {words}" if len(words) > 4 else words
    yield re.sub(
        r"^(?:(?:shortly |some time )?(?:before|after)|just after|around|about|circa|from|since|until|till|to|by)\s+",
        "",
        words,
    )
    yield from _iso_dates(words)
    yield spelled(words)


def _last_night(words: str) -> Iterator[str]:
    """Before midnight it was yesterday, after it today."""
    if match := re.fullmatch(r"(?:last night(?: at)? |at )?(\d{1,2})((?::\d{2})?)(?: last night)?", words, re.ASCII):
        hour = int(match[1])
        if "last night" in words and hour <= 12:
            yield f"yesterday {hour}{match[2]}pm" if 6 <= hour < 12 else f"today {hour}{match[2]}am"
        elif "last night" in words:
            yield f"yesterday {hour}{match[2] or ':00'}"


def _iso_dates(words: str) -> Iterator[str]:
    if match := _DATE_ORDER.fullmatch(words):
        first, second, year, rest = (
            match[1].zfill(2),
            match[2].zfill(2),
            f"20{match[3][-2:]}",
            match[4].strip(", ") or "00:00",
        )
        yield f"{year}-{second}-{first} {rest}"
        yield f"{year}-{first}-{second} {rest}"


def spelled(words: str) -> str:
    """Each word replaced by the one it resembles: “yesterdya 14:30”, “lattest”."""
    return " ".join(
        (get_close_matches(word, _VOCABULARY, n=1, cutoff=0.7) or [word])[0] if word.isalpha() else word
        for word in words.split()
    )
