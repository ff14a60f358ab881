"""Texts as SQL literals."""

from __future__ import annotations


def literal(text: str) -> str:
    """A text as an SQL literal, whatever it contains, with either setting of standard_conforming_strings."""
    if "\0" in text:
        raise ValueError(f"no text of PostgreSQL: {text!r}")
    plain = text.replace("'", "''")
    return "E'" + plain.replace("\\", "\\\\") + "'" if "\\" in text else f"'{plain}'"
