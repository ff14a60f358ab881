"""The adapters to the outside that the settings name, opened once and shared by all threads of a process.

What cannot be opened, for example because a certificate is missing, is said in the log and by the doctor; it
never keeps a worker from recovering.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from actions.engine.errors import RecoveryError
from actions.settings.settings import Settings
from actions.tools.outside import Pager, PagerDuty, StatusPage
from workers.pagerduty.events_api import EventsPager
from workers.pagerduty.rest_api import PagerDutyRest
from workers.runner.errand_toolbox import ErrandToolbox
from workers.statuspage.opening import opener

log = structlog.get_logger("mayday.outside")
T = TypeVar("T")


@dataclass(frozen=True)
class Adapters:
    """What there is; None for what the settings do not name or what cannot be opened."""

    pagerduty: PagerDuty | None
    pager: Pager | None
    status_page: Callable[[], StatusPage] | None

    def toolbox(self) -> ErrandToolbox:
        """The tools of errands."""
        return ErrandToolbox(_given(self.pagerduty), _given(self.pager), self.status_page)


def open_adapters(settings: Settings, clock: Callable[[], datetime]) -> Adapters:
    """Everything that the settings name."""
    pagerduty = settings.pagerduty
    rest = _opened("PagerDuty", lambda: PagerDutyRest(pagerduty, clock)) if pagerduty.token.get_secret_value() else None
    key = pagerduty.routing_key.get_secret_value()
    pager = _opened("paging", lambda: EventsPager(pagerduty, clock)) if key else None
    return Adapters(rest, pager, opener(settings, clock))


def _opened(what: str, open: Callable[[], T]) -> T | None:
    try:
        return open()
    except RecoveryError as trouble:
        log.error("not opened", what=what, error=trouble.said, detail=trouble.detail, hint=trouble.hint)
        return None


def _given(tool: T | None) -> Callable[[], T] | None:
    return None if tool is None else lambda: tool
