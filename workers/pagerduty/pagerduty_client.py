"""PagerDuty's own client with its sharp edges off: bounded retries and waits, our trust, our errors.

The package retries 429 for ever, waits 60 s for an answer, and names the end of the token in an error; POSTs
are repeated after a network failure, which doubles what has no idempotency key.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
from pagerduty import Error, EventsApiV2Client, HttpError, RestApiV2Client, UrlError

from actions.engine.errors import Away, RecoveryError, Refused
from actions.redact import excerpt
from actions.settings.outside import PagerDutySettings
from workers.api_rate import ApiRate, pace_of

SECONDS = 10.0
"""How long an answer is waited for."""

_FIRST_PAUSE = 0.5
_LIMIT_RETRIES = 2
_OWN_MACHINE = ("127.0.0.1", "localhost", "::1")
_LATER = (408, 425, 429)
_BROKEN = (500, 502, 503, 504)
_STALE = 1005
_SAID: dict[int, tuple[str, str]] = {
    1008: ("PagerDuty does not know the sender.", "Set pagerduty.sender to the email of a PagerDuty user."),
    1015: ("PagerDuty has nobody on call for that.", "Fill the escalation policy, or call somebody by phone."),
}
_MEANT: dict[int, tuple[str, str]] = {
    401: (
        "PagerDuty does not accept the token.",
        "Put a REST API key of this account into pagerduty.token; for the EU set pagerduty.api_url too.",
    ),
    402: ("The PagerDuty plan does not have that.", "Do it in PagerDuty's own app, or leave it out."),
    403: ("PagerDuty's token may not do that.", "Use a key with write access, not a read-only one."),
    404: ("PagerDuty does not know that.", "Look at the id; the incident may belong to another account."),
}


def rest_client(settings: PagerDutySettings, *, retries: bool = True, seconds: float = SECONDS) -> RestApiV2Client:
    """A client of the REST API, for what may be sent again; without `retries`, for what is sent once.

    A request that was refused by the rate limit was not carried out, so it is sent again in either case.
    """
    token = settings.token.get_secret_value()
    if not token:
        raise Refused("PagerDuty is not set up.", code="MD-PD-006", hint="Set pagerduty.token (docs/configuration.md).")
    # 600 a minute after a burst of 100 stay below the 960 calls that PagerDuty takes.
    pace, sender = pace_of(settings.api_url, 10.0, 100.0), settings.sender or None
    client: RestApiV2Client = _built(
        RestApiV2Client, token, settings.api_url, settings, pace, seconds, default_from=sender
    )
    client.max_network_attempts = 1 if retries else 0
    client.retry = {429: _LIMIT_RETRIES, **(dict.fromkeys(_BROKEN, 1) if retries else {})}
    return client


def events_client(settings: PagerDutySettings) -> EventsApiV2Client:
    """A client of the Events API. What it sends has a key, so it may be sent again."""
    key = settings.routing_key.get_secret_value()
    if not key:
        raise Refused(
            "Mayday cannot page.", code="MD-PD-007", hint="Set pagerduty.routing_key: an Events API v2 integration key."
        )
    # 90 a minute and a burst of 30 come to the 120 events that PagerDuty takes for a key.
    pace = pace_of(settings.events_url, 1.5, 30.0)
    client: EventsApiV2Client = _built(EventsApiV2Client, key, settings.events_url, settings, pace, SECONDS)
    client.max_network_attempts = 1
    client.retry = {429: _LIMIT_RETRIES, **dict.fromkeys(_BROKEN, _LIMIT_RETRIES)}
    return client


def _built(
    kind: Any, secret: str, url: str, settings: PagerDutySettings, pace: ApiRate, seconds: float, **more: Any
) -> Any:
    hooks = {
        "request": [lambda _request: pace.wait()],
        "response": [lambda answer: pace.learn(answer.status_code, answer.headers)],
    }
    try:
        # A proxy of the environment never leads to this machine itself.
        client = kind(
            secret,
            base_url=url,
            verify=_trust(settings),
            event_hooks=hooks,
            trust_env=urlsplit(url).hostname not in _OWN_MACHINE,
            **more,
        )
    except UrlError:
        raise Refused(
            f"{url} does not begin with https://.", code="MD-PD-008", hint="PagerDuty is spoken to over https only."
        ) from None
    client.timeout, client.sleep_timer, client.stagger_cooldown = seconds, _FIRST_PAUSE, 0.5
    return client


def _trust(settings: PagerDutySettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as wrong:
        raise Refused(
            f"The certificate file {settings.ca_file} cannot be used.",
            code="MD-PD-009",
            detail=str(wrong),
            hint="Correct pagerduty.ca_file, or leave it empty for the system's own.",
        ) from None


@contextmanager
def speaking(doing: str) -> Iterator[None]:
    """Turn the client's errors into ours; `doing` says what was tried."""
    try:
        yield
    except HttpError as refused:
        # Its own words end with the end of the token, so they are not taken over.
        answer: Any = refused.response
        raise trouble(answer, doing) from None
    except Error as silence:
        raise _silence(silence.__cause__ or silence, doing) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as broken:
        raise _silence(broken, doing) from None


def trouble(answer: httpx2.Response, doing: str) -> RecoveryError:
    """What an answer that is no success means."""
    status, code, said = answer.status_code, error_code(answer), _words(answer)
    detail = f"{doing}: HTTP {status}, {said}" if said else f"{doing}: HTTP {status}"
    if status in _LATER or status >= 500 or code == _STALE:
        return Away(
            "PagerDuty could not do it now.",
            code="MD-PD-010",
            detail=detail,
            hint="Nothing to do: it is tried again by itself.",
        )
    message, hint = (
        _SAID.get(code)
        or _MEANT.get(status)
        or ("PagerDuty refused.", "Read what it said; do it in PagerDuty's own app where it is urgent.")
    )
    return RecoveryError(message, code="MD-PD-011", detail=detail, hint=hint)


def error_code(answer: httpx2.Response) -> int:
    """PagerDuty's own code in the body, 0 where there is none."""
    code = _error(answer).get("code")
    return code if isinstance(code, int) else 0


def _silence(cause: BaseException, doing: str) -> RecoveryError:
    if "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return RecoveryError(
            "PagerDuty's certificate is not trusted.",
            code="MD-PD-012",
            detail=doing,
            hint="Set pagerduty.ca_file, or look who answers at pagerduty.api_url.",
        )
    return Away(
        "PagerDuty does not answer.",
        code="MD-PD-013",
        detail=f"{doing}: {type(cause).__name__}",
        hint="Look at the network; meanwhile call people by phone. It is tried again by itself.",
    )


def _words(answer: httpx2.Response) -> str:
    error = _error(answer)
    more = error.get("errors") or ()
    said = (str(error.get("message") or ""), *(str(one) for one in (more if isinstance(more, list) else [more])))
    return excerpt(" ".join(part for part in said if part), 300)


def _error(answer: httpx2.Response) -> dict[str, Any]:
    """REST wraps its error, Events does not."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    if not isinstance(body, dict):
        return {}
    error = body.get("error", body)
    return error if isinstance(error, dict) else {"message": str(error)}
