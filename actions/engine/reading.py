"""How people ask for a procedure: the words of its command, and what reads its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Asker:
    """What a request is read with: the moment, the operations zone, the person's own zone, the service's name.

    `follows` is the service that this one is a standby of, and `follows_at` its site; empty where it follows nobody.
    `beside` are the other standbys of that one, each as `name @ site`.
    """

    now: datetime
    operations_zone: str
    zone: str | None
    service: str
    follows: str = ""
    follows_at: str = ""
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """How people ask for a procedure: the command's words, its arguments, examples, what reads them.

    `read` turns the arguments (a text without the command's words) into the procedure's request.
    """

    command: str
    usage: str
    examples: tuple[str, ...]
    read: Callable[[str, Asker], Any]


@dataclass(frozen=True)
class OfferedCommand:
    """What may be asked for before a question is answered: its button's label, and the command behind it."""

    label: str
    command: str
