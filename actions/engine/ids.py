"""Ids of journals that can be read out on the phone: a letter, the day, four plain letters."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

RUN, ERRAND, INCIDENT = "r", "e", "i"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters that nobody mistakes for another when they are read out."""


def new_id(now: datetime, what: str = RUN) -> str:
    """The id of a new run, errand or incident."""
    return f"{what}{now.astimezone(UTC):%m%d}-" + "".join(secrets.choice(_LETTERS) for _ in range(4))


def is_errand(journal: str) -> bool:
    """Whether the id is that of an errand's journal."""
    return journal.startswith(ERRAND)
