"""HTTP mode: signed posts to the request URL of the app."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import urlencode

import httpx

from lab.slack.delivery import TIMED_OUT, Envelope, Outcome
from lab.slack.world import World


class HttpMode:
    """Posts each envelope to the request URL, if there is one."""

    def __init__(self, world: World, request_url: str | None) -> None:
        self._world = world
        self.request_url = request_url

    @property
    def ready(self) -> bool:
        return bool(self.request_url)

    async def carry(self, envelope: Envelope, within: float) -> Outcome:
        body, content_type = body_of(envelope)
        headers = self._headers(envelope, body) | {"content-type": content_type}
        try:
            async with httpx.AsyncClient(timeout=within, trust_env=False) as client:
                answer = await client.post(str(self.request_url), content=body, headers=headers)
        except httpx.TimeoutException:
            return TIMED_OUT
        except httpx.HTTPError as failure:
            return Outcome(False, error=f"dispatch_failed: {failure}")
        return read_answer(answer)

    def _headers(self, envelope: Envelope, body: bytes) -> dict[str, str]:
        stamp = str(int(self._world.clock()))
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(self._secret, stamp, body)}
        if envelope.retry_attempt:
            reason = {"timeout": "http_timeout"}.get(envelope.retry_reason, envelope.retry_reason)
            headers |= {"X-Slack-Retry-Num": str(envelope.retry_attempt), "X-Slack-Retry-Reason": reason}
        return headers

    @property
    def _secret(self) -> str:
        return self._world.company.signing_secret


def sign(secret: str, stamp: str, body: bytes) -> str:
    """Slack's v0 signature."""
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return "v0=" + digest.hexdigest()


def body_of(envelope: Envelope) -> tuple[bytes, str]:
    """Events travel as JSON, commands as a form, interactions as JSON inside of a form."""
    if envelope.kind == "events_api":
        return json.dumps(envelope.payload).encode(), "application/json"
    form = envelope.payload if envelope.kind == "slash_commands" else {"payload": json.dumps(envelope.payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def read_answer(answer: httpx.Response) -> Outcome:
    if answer.status_code != 200:
        return Outcome(False, error=f"http_status_{answer.status_code}")
    if "json" in answer.headers.get("content-type", "") and answer.content:
        return Outcome(True, answer.json())
    return Outcome(True, {"text": answer.text} if answer.text else None)
