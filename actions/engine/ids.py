"""Ids of journals that can be read out on the phone: a letter, the day, four plain letters."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

RUN, ERRAND, INCIDENT = "r", "e", "i"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters that nobody mistakes for another when they are read out."""


def new_id(now: datetime, what: str = RUN) -> str:
    """The id of a new run, errand or incident."""
    return f"{what}{now.astimezone(UTC):%m%d}-" + "".join(secrets.choice(_LETTERS) for _ in range(4))


_ID = re.compile(rf"[{RUN}{ERRAND}{INCIDENT}]\d{{4}}-[{_LETTERS}]{{4}}")


def is_id(text: str) -> bool:
    """Whether a text that came from elsewhere looks like the id of a journal."""
    return _ID.fullmatch(text) is not None


def is_errand(journal: str) -> bool:
    """Whether the id is that of an errand's journal."""
    return journal.startswith(ERRAND)
