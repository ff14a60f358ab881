"""PagerDuty's Events API v2 as `actions.tools.outside.Pager`: Mayday itself pages, and takes the page back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from actions.engine.errors import Refused
from actions.redact import excerpt, redact
from actions.settings.outside import PagerDutySettings
from workers.pagerduty.pagerduty_client import events_client, speaking

_SEVERITIES = ("critical", "error", "warning", "info")
_SUMMARY_AT_MOST = 1024
_KEY_AT_MOST = 255
_DETAIL_AT_MOST = 4000


class EventsPager:
    """Pages through one Events API integration; `source` is what the page is about, as PagerDuty shows it."""

    def __init__(self, settings: PagerDutySettings, clock: Callable[[], datetime], source: str = "Mayday") -> None:
        self._client = events_client(settings)
        self._clock = clock
        self._source = source

    def trigger(
        self,
        key: str,
        summary: str,
        *,
        severity: str = "critical",
        details: Mapping[str, str] | None = None,
        link: str = "",
    ) -> None:
        if severity not in _SEVERITIES:
            raise Refused(
                f"'{severity}' is no severity of PagerDuty.",
                code="MD-PD-005",
                hint=f"Use one of {', '.join(_SEVERITIES)}.",
            )
        told = {name: excerpt(text, _DETAIL_AT_MOST) for name, text in (details or {}).items()}
        payload = {"timestamp": self._clock().isoformat(), "custom_details": told}
        links = [{"href": link, "text": "Open the thread"}] if link else None
        with speaking("paging"):
            self._client.trigger(
                _short(redact(summary), _SUMMARY_AT_MOST) or "Mayday",
                self._source,
                dedup_key=dedup_key(key),
                severity=severity,
                payload=payload,
                links=links,
            )

    def resolve(self, key: str) -> None:
        with speaking("taking a page back"):
            self._client.resolve(dedup_key(key))


def dedup_key(key: str) -> str:
    """The key within PagerDuty's length: a longer one keeps its beginning and ends with its hash."""
    if len(key) <= _KEY_AT_MOST:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: _KEY_AT_MOST - len(digest) - 1]}-{digest}"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
