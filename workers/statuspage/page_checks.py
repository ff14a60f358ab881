"""What `mayday doctor` asks of the status page: does it answer, and are the components there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from actions.engine.errors import RecoveryError
from actions.findings import Finding
from actions.settings.settings import Settings
from workers.statuspage.opening import open_page

_NAME = "status page"


def check(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Nothing where the settings name no page."""
    try:
        page = open_page(settings.statuspage, clock, settings.pagerduty)
        if page is None:
            return
        known = page.components()
        page.close()
    except RecoveryError as trouble:
        yield Finding(_NAME, False, f"{trouble.said} {trouble.detail}".strip(), trouble.hint)
        return
    yield Finding(_NAME, True, f"{page.name} answers")
    named = settings.statuspage.components
    absent = [f"{service} ({id})" for service, id in named.items() if id not in known]
    yield Finding(
        "status page's components",
        not absent and bool(named),
        _seen(absent, len(named)),
        "Correct `statuspage.components` in the settings. The page has: "
        + (", ".join(f"{name} {id}" for id, name in known.items()) or "none"),
    )


def _seen(absent: list[str], named: int) -> str:
    if absent:
        return f"not on the page: {', '.join(absent)}"
    return f"{named} services are mapped" if named else "no service is mapped"
