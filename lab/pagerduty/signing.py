"""How PagerDuty signs webhooks: HMAC-SHA256 of the raw body, once for each secret of the subscription."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from lab.pagerduty.account import News
from lab.pagerduty.things import Json


def body_of(news: News, base_url: str) -> bytes:
    """The body of a webhook. It carries no time of sending, so every redelivery is the same to the byte."""
    at = datetime.fromtimestamp(news.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event: Json = {
        "id": news.id,
        "event_type": news.type,
        "resource_type": news.type.split(".")[0],
        "occurred_at": at,
        "agent": news.agent,
        "client": news.client,
        "data": news.data,
        "links": {"self": f"{base_url}/web/events/{news.id}"},
    }
    return json.dumps({"event": event}).encode()


def signature(secrets: Sequence[str], body: bytes) -> str:
    """The header's value: several while secrets rotate."""
    return ",".join(f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}" for secret in secrets)
