"""Who is on call: what PagerDuty said lately, and the settings' list of contacts where it did not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actions.engine.facts import from_json, to_json
from actions.engine.store import Store
from actions.outside import OnCall
from actions.settings import Contact

_NOTE = ("duty", "on call")
FRESH = timedelta(hours=1)
"""How long what PagerDuty said is better than the settings' list."""


@dataclass(frozen=True)
class Duty:
    """Names of those on call and of those behind them. `source` is empty where PagerDuty said so just now."""

    first: tuple[str, ...] = ()
    backup: tuple[str, ...] = ()
    source: str = ""


def keep_on_call(store: Store, people: Sequence[OnCall]) -> None:
    """Note who is on call, for those who may not ask PagerDuty."""
    store.keep(*_NOTE, {"at": store.clock().isoformat(), "people": [to_json(person) for person in people]})


def on_call(store: Store, contacts: Iterable[Contact], policy: str = "") -> Duty:
    """Who is on call now, of an escalation policy where one is named."""
    noted: Mapping[str, Any] | None = store.note(*_NOTE)
    if noted and noted["people"] and store.clock() - datetime.fromisoformat(noted["at"]) < FRESH:
        return _of(tuple(from_json(OnCall, person) for person in noted["people"]), policy)
    named = {role: tuple(c.name for c in contacts if c.role == role) for role in ("on-call", "backup")}
    return Duty(named["on-call"], named["backup"], "the settings" if any(named.values()) else "")


def _of(people: tuple[OnCall, ...], policy: str) -> Duty:
    wanted = [person for person in people if person.policy == policy] or list(people)
    levels = sorted({person.level for person in wanted})
    by_level = [tuple(dict.fromkeys(p.name for p in wanted if p.level == level)) for level in levels]
    return Duty(by_level[0] if by_level else (), by_level[1] if len(by_level) > 1 else ())
