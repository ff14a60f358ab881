"""What errands do at PagerDuty. The incident is read anew before and after: an event was only a hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from actions.engine.errors import Refused
from actions.tools.outside import Paged, Pager, PagerDuty
from actions.tools.polling import Polling
from actions.tools.progress import Progress

SETTLES = 10.0
"""Seconds in which PagerDuty shows what it has been told."""
_OPENS = 30.0
"""Seconds in which PagerDuty makes an incident of a page."""
_FEW = 5


@dataclass(frozen=True)
class AlertIds:
    """Which of PagerDuty's incidents are meant; `since` is not after the oldest of them was created."""

    ids: tuple[str, ...]
    since: datetime


@dataclass(frozen=True)
class AlertStates:
    """How they stand in PagerDuty now. What is not there any more counts as resolved."""

    triggered: tuple[str, ...] = ()
    acknowledged: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()

    def says(self) -> str:
        """The numbers, as people say them."""
        counts = {"triggered": self.triggered, "acknowledged": self.acknowledged, "resolved": self.resolved}
        said = [state if len(ids) == 1 else f"{len(ids)} {state}" for state, ids in counts.items() if ids]
        return ", ".join(said)


@dataclass(frozen=True)
class EscalationLevel:
    """Where an escalation stands, and where it shall go."""

    now: int
    wanted: int

    def says(self) -> str:
        """Both levels."""
        return f"level {self.now}"


@dataclass(frozen=True)
class Page:
    """What Mayday pages about: the key makes a second attempt find the first.

    With `contact`, the id of a person or policy in PagerDuty, they alone are paged.
    """

    key: str
    summary: str
    severity: str
    since: datetime
    link: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    contact: str = ""


@dataclass(frozen=True)
class PageReached:
    """Whom a page reached, by PagerDuty's own word."""

    names: tuple[str, ...]
    url: str = ""

    def says(self) -> str:
        """Their names."""
        return f"paged {', '.join(self.names)}" if self.names else "taken, but PagerDuty assigned it to nobody"


def look_at_alerts(alerts: AlertIds, pagerduty: PagerDuty) -> AlertStates:
    """How they stand. Many are read as a list: a storm must not cost a question for each."""
    listed: dict[str, Paged] = {}
    if len(alerts.ids) > _FEW:
        listed = {paged.id: paged for paged in pagerduty.updated_since(alerts.since - timedelta(minutes=1))}
    found = {id: listed.get(id) or pagerduty.incident(id) for id in alerts.ids}
    by: dict[str, list[str]] = {"triggered": [], "acknowledged": [], "resolved": []}
    for id, paged in found.items():
        by.setdefault(paged.status if paged else "resolved", []).append(id)
    return AlertStates(tuple(by["triggered"]), tuple(by["acknowledged"]), tuple(by["resolved"]))


def acknowledge(standing: AlertStates, pagerduty: PagerDuty, progress: Progress) -> None:
    """Acknowledge those that nobody has."""
    _each(standing.triggered, pagerduty.acknowledge, progress)


def are_acknowledged(alerts: AlertIds, pagerduty: PagerDuty, polling: Polling) -> bool:
    """Whether nobody is paged for them any more."""
    return polling.until(lambda: not look_at_alerts(alerts, pagerduty).triggered, seconds=SETTLES, every=0.5)


def resolve(standing: AlertStates, pagerduty: PagerDuty, progress: Progress) -> None:
    """Resolve those that are open."""
    _each((*standing.triggered, *standing.acknowledged), pagerduty.resolve, progress)


def are_resolved(alerts: AlertIds, pagerduty: PagerDuty, polling: Polling) -> bool:
    """Whether all of them are."""

    def over() -> bool:
        seen = look_at_alerts(alerts, pagerduty)
        return not seen.triggered and not seen.acknowledged

    return polling.until(over, seconds=SETTLES, every=0.5)


def look_at_rung(alert: str, pagerduty: PagerDuty) -> EscalationLevel:
    """Where the escalation stands.

    Raises:
        Refused: nobody can be paged for it any more.
    """
    paged = pagerduty.incident(alert)
    if paged is None or paged.status == "resolved":
        raise Refused(
            "It is resolved in PagerDuty, so there is nobody to escalate to.",
            code="MD-PD-001",
            hint="Declare a new incident with /incident declare, if it goes on.",
        )
    return EscalationLevel(paged.level, paged.level + 1)


def find_page(page: Page, pagerduty: PagerDuty, polling: Polling) -> str:
    """The id of the open incident that a page opened.

    Raises:
        Refused: it opened none, or that one is over.
    """
    found: list[str] = []

    def there() -> bool:
        found.extend(p.id for p in _made_of(page, pagerduty) if p.status != "resolved")
        return bool(found)

    if not polling.until(there, seconds=_OPENS, every=1.0):
        raise Refused(
            "PagerDuty has no open incident of that page.",
            code="MD-PD-002",
            detail=f"Its key is {page.key}.",
            hint="It may be over. Else see who is on call with /recover status, and call them.",
        )
    return found[0]


def look_at_level(alert: str, level: int, pagerduty: PagerDuty) -> EscalationLevel:
    """Where the escalation stands, and that it shall come to that level.

    Raises:
        Refused: nobody can be paged for it any more.
    """
    return replace(look_at_rung(alert, pagerduty), wanted=level)


def escalate(alert: str, rung: EscalationLevel, pagerduty: PagerDuty) -> None:
    """Page the level that is wanted; whoever was reached already is not paged again."""
    if rung.now < rung.wanted:
        pagerduty.escalate(alert, rung.wanted)


def is_escalated(alert: str, rung: EscalationLevel, pagerduty: PagerDuty, polling: Polling) -> bool:
    """Whether the escalation stands there, or further."""

    def there() -> bool:
        paged = pagerduty.incident(alert)
        return paged is not None and paged.level >= rung.wanted

    return polling.until(there, seconds=SETTLES, every=0.5)


def see_whom(alert: str, pagerduty: PagerDuty) -> PageReached:
    """Who has it now."""
    paged = pagerduty.incident(alert)
    return PageReached(paged.assignees, paged.url) if paged else PageReached(())


def send_page(page: Page, pager: Pager, pagerduty: PagerDuty) -> None:
    """Page; the same key again is the same page."""
    if page.contact:
        pagerduty.call(page.key, page.summary, page.contact, "\n".join(page.details.values()))
        return
    pager.trigger(page.key, page.summary, severity=page.severity, details=page.details, link=page.link)


def page_stands(page: Page, pagerduty: PagerDuty, polling: Polling) -> bool:
    """Whether PagerDuty made an incident of it."""
    return polling.until(lambda: _paged(page, pagerduty) is not None, seconds=_OPENS, every=1.0)


def see_reached(page: Page, pagerduty: PagerDuty) -> PageReached:
    """Whom the page reached."""
    paged = _paged(page, pagerduty)
    return PageReached(paged.assignees, paged.url) if paged else PageReached(())


def _paged(page: Page, pagerduty: PagerDuty) -> Paged | None:
    return max(_made_of(page, pagerduty), key=lambda p: p.created_at, default=None)


def _made_of(page: Page, pagerduty: PagerDuty) -> list[Paged]:
    return [p for p in pagerduty.updated_since(page.since - timedelta(minutes=1)) if p.key == page.key]


def _each(ids: tuple[str, ...], change: Callable[[str], None], progress: Progress) -> None:
    for n, id in enumerate(ids):
        progress(n, len(ids), f"{n} of {len(ids)}" if len(ids) > 1 else "")
        change(id)
