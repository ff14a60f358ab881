"""Numbers of things in words, one thing in the singular."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``1 row``, ``1,001 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def verb(number: int, plain: str) -> str:
    """What so many of them do: one ``comes``, two ``come``; one ``is``, two ``are``."""
    if plain == "are":
        return "is" if number == 1 else "are"
    return f"{plain}s" if number == 1 else plain
