"""What people read of a run: sheets, and the few rows that a decision rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Sheet:
    """Something to read before answering, or at the end: a title, rows of label and value, notes below.

    `alerts` are sentences that must not be overlooked: they are shown before all else, in red. `whole` is what is too
    long for a message: it stands only in the file that goes along.

    With `essential` a thread shows the rows with these labels alone, and the rest of the sheet one click away; a
    decision card says those of `carded` in its own words. Alerts are always shown.
    """

    title: str
    rows: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    essential: tuple[str, ...] | None = None
    carded: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardRow:
    """A row of the decision card: a label, and what people decide on in a few words.

    With `at` the words begin with that moment, which each reader sees in their own zone and in UTC.
    """

    label: str
    text: str = ""
    at: datetime | None = None
