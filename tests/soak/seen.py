"""All that is seen after a round; `judge` reads nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actions.engine.journal import Entry
from lab.truth import Comparison
from tests.soak.damage import Picture
from tests.soak.watch import Happened


@dataclass(frozen=True)
class Leavings:
    """What lies and stands around: before a round, and after it.

    `beside` are the names beside PGDATA, `bases` the folders of base backups, `containers` those made for runs,
    `states` Docker's word for each container of the company by name, `policies` their restart policies; `slots` and
    `sessions` are replication slots and sessions of base backups in the live server; `leases` are runs under one.
    """

    beside: frozenset[str]
    bases: frozenset[str]
    containers: tuple[str, ...]
    states: Mapping[str, str]
    policies: Mapping[str, str]
    slots: int = 0
    sessions: int = 0
    leases: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seen:
    """One round. `messages` are the bot's in the channel, as the room keeps them; `expected` is what has to be in
    service, `found` what is; `others` are runs that nobody asked for; `chain` is what `mayday journal verify` said
    against the journals."""

    run: str
    entries: Sequence[Entry]
    postgres: str
    writers: Sequence[str]
    happened: Sequence[Happened]
    messages: Sequence[Mapping[str, Any]]
    expected: Picture
    found: Picture
    truth: Comparison | None
    before: Leavings
    after: Leavings
    others: Sequence[str] = ()
    chain: str = ""
    late: int = 0
    broke: Sequence[str] = field(default_factory=tuple)
