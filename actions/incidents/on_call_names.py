"""Who is on call, in names: what PagerDuty said lately, and the settings' list of contacts where it did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from actions.incidents import on_call
from actions.incidents.contacts import people_of
from actions.settings.settings import Settings
from actions.store.store import Store
from actions.tools.outside import OnCall

FRESH = timedelta(hours=1)
"""How long what PagerDuty said is better than the settings' list."""


@dataclass(frozen=True)
class OnCallNames:
    """Names of those on call and of those behind them. `source` is empty where PagerDuty said so just now."""

    first: tuple[str, ...] = ()
    backup: tuple[str, ...] = ()
    source: str = ""


def duty(store: Store, settings: Settings, policy: str = "") -> OnCallNames:
    """Who is on call now, of an escalation policy where one is named."""
    site = settings.site.name
    if site in store.notes(on_call.NOTE, since=store.clock() - FRESH) and (people := on_call.known(store, site)):
        return _of(people, policy)
    named = [tuple(person.name for person in people_of(role, settings.contacts)) for role in ("on-call", "backup")]
    return OnCallNames(named[0], named[1], "the settings" if any(named) else "")


def _of(people: tuple[OnCall, ...], policy: str) -> OnCallNames:
    wanted = [person for person in people if person.policy == policy] or list(people)
    levels = sorted({person.level for person in wanted})
    by_level = [tuple(dict.fromkeys(p.name for p in wanted if p.level == level)) for level in levels]
    return OnCallNames(by_level[0] if by_level else (), by_level[1] if len(by_level) > 1 else ())
