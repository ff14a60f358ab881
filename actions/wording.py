"""Numbers of things in words, one thing in the singular; texts within a length, and lists of a few names."""

from __future__ import annotations

from collections.abc import Sequence

_KB = 1024


def counted(number: int, noun: str) -> str:
    """``1 row``, ``1,001 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def verb(number: int, plain: str) -> str:
    """What so many of them do: one ``comes``, two ``come``; one ``is``, two ``are``."""
    if plain == "are":
        return "is" if number == 1 else "are"
    return f"{plain}s" if number == 1 else plain


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters; one that is longer ends in "…", so that nobody takes it for the whole."""
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"


def listed(names: Sequence[str], most: int, between: str = ", ") -> str:
    """``a, b and 3 more``: the first names, and how many there are besides."""
    left = len(names) - most
    return between.join(names[:most]) + (f" and {left:,} more" if left > 0 else "")


def newest(lines: Sequence[str], most: int) -> list[str]:
    """The last lines that have room in so many characters; above them stands how many older ones are left out."""
    kept, room = list[str](), most - 40
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0 and kept:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return [*([f"… {counted(left, 'earlier line')}"] if left else []), *reversed(kept)]


def fitting(lines: Sequence[str], most: int) -> list[str]:
    """The first lines that have room in so many characters; below them stands how many are left out."""
    kept, room = list[str](), most - 20
    for line in lines:
        room -= len(line) + 1
        if room < 0 and kept:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return [*kept, *([f"and {left:,} more"] if left else [])]


def exact_size(count: int) -> str:
    """Bytes for people, to the byte where there are few: 0 B behind and 400 B behind are not the same."""
    for unit, least in (("GB", _KB**3), ("MB", _KB**2), ("kB", _KB)):
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return f"{count} B"
