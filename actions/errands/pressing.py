"""How errands are asked for: by a button or a command's own words, never by typing their name."""

from __future__ import annotations

from typing import Any

from actions.engine.errors import Refused
from actions.engine.reading import Asker, Words


def pressed(command: str) -> Words:
    """The words of an errand."""
    return Words(command=command, usage="", examples=(), read=_read)


def _read(text: str, asker: Asker) -> Any:
    raise Refused(
        "That is done from an incident's thread.", code="MD-INC-001", hint="Use its buttons, or write /incident help."
    )
