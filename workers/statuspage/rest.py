"""JSON over HTTP with bounded patience: what was refused, who is away, and what nobody knows.

RecoveryError   the answer was no
Away            nothing was done: nobody answers
├── TooMuch     nothing was done: not so soon after the last request
└── Doubt       it was sent and no answer came: look for it before it is tried again
"""

from __future__ import annotations

import ipaddress
import ssl
from typing import Any

import httpx2

from actions.engine.errors import Away, RecoveryError, Refused
from actions.redact import excerpt
from workers.statuspage.page_rate import PageRate

_TRIES = 4
_TOO_MUCH = (420, 429)
_LONGEST_REST = 15.0
# With these nothing was sent yet, so even a write may be tried again.
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_LATER = "Mayday tries again by itself; the recovery does not wait for it."


class TooMuch(Away):
    """Too many requests; this one was not carried out."""


class Doubt(Away):
    """Nobody knows whether it was done."""


class Rest:
    """One API: its address, its headers, its pace. `name` is what errors call it."""

    def __init__(
        self, name: str, url: str, headers: dict[str, str], pace: PageRate, *, ca_file: str = "", timeout: float = 10.0
    ) -> None:
        self.name, self._pace = name, pace
        at_home = _on_this_machine(url)
        if not url.startswith("https://") and not at_home:
            raise Refused(
                f"{name}'s address does not begin with https://.",
                code="MD-SP-013",
                detail=url,
                hint="Correct `api_url` in the settings: a key is not sent in clear.",
            )
        try:
            # A proxy of the environment leads to the internet, never to this machine.
            self._client = httpx2.Client(
                base_url=url.rstrip("/") + "/",
                headers=headers,
                timeout=timeout,
                verify=_trust(ca_file),
                trust_env=not at_home,
            )
        except (httpx2.InvalidURL, ValueError) as problem:
            raise Refused(
                f"{name} cannot be asked with these settings.",
                code="MD-SP-014",
                detail=type(problem).__name__,
                hint="Correct `api_url` and `token`: one of them holds a strange character.",
            ) from problem

    def get(self, path: str, **query: str | int) -> Any:
        """Ask, and ask again where that may help."""
        for tried in range(1, _TRIES):
            try:
                return self._once("GET", path, params=query)
            except Away as away:
                self._rest_after(away, tried)
        try:
            return self._once("GET", path, params=query)
        except Doubt as gone:  # Asking changes nothing, so there is nothing to doubt.
            raise Away(gone.message, code=gone.code, detail=gone.detail, hint=gone.hint) from gone

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Write, once. Only a request that was surely not carried out is sent again.

        Raises:
            Doubt: no answer came, or one that says nothing.
        """
        for tried in range(1, _TRIES):
            try:
                return self._once(method, path, json=body)
            except Doubt:
                raise
            except Away as away:
                self._rest_after(away, tried)
        return self._once(method, path, json=body)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _rest_after(self, away: Away, tried: int) -> None:
        """Longer and longer where it was too much; who is away for good is not waited for."""
        times = 2**tried if isinstance(away, TooMuch) else 1
        self._pace.rest(min(self._pace.seconds * times, _LONGEST_REST))

    def _once(self, method: str, path: str, **sent: Any) -> Any:
        self._pace.wait()
        try:
            answer = self._client.request(method, path, **sent)
        except _NOT_SENT as problem:
            raise Away(
                f"{self.name} does not answer.", code="MD-SP-015", detail=_said(problem), hint=_LATER
            ) from problem
        except httpx2.HTTPError as problem:
            raise Doubt(
                f"{self.name} did not answer in time.", code="MD-SP-016", detail=_said(problem), hint=_LATER
            ) from problem
        except (httpx2.InvalidURL, UnicodeError) as problem:
            raise RecoveryError(
                f"{self.name} cannot be asked.",
                code="MD-SP-017",
                detail=_said(problem),
                hint="Correct its address in the settings.",
            ) from problem
        return self._read(answer)

    def _read(self, answer: httpx2.Response) -> Any:
        status, detail = answer.status_code, excerpt(f"HTTP {answer.status_code} {answer.text}", 500)
        if status in _TOO_MUCH:
            self._pace.rest(min(_seconds(answer), _LONGEST_REST))
            raise TooMuch(
                f"{self.name} takes no more requests for the moment.", code="MD-SP-018", detail=detail, hint=_LATER
            )
        # The update may be on the page all the same: an error can come after the change.
        if status >= 500:
            raise Doubt(f"{self.name} has a problem of its own.", code="MD-SP-019", detail=detail, hint=_LATER)
        if status >= 300:
            raise RecoveryError(f"{self.name} refused it.", code="MD-SP-020", detail=detail, hint=_what_to_do(status))
        try:
            return answer.json() if answer.content else None
        except ValueError as problem:
            raise Doubt(
                f"{self.name} answered something that is not JSON.", code="MD-SP-021", detail=detail, hint=_LATER
            ) from problem


def _what_to_do(status: int) -> str:
    if status in (401, 403):
        return "Check `statuspage.token` in the settings: the key is wrong, or may not do this."
    if status < 400:
        return "Check `statuspage.api_url` in the settings: it leads elsewhere."
    if status == 404:
        return "Check `statuspage.page` and `statuspage.components` in the settings: there is no such id."
    return "Edit the update and publish it again; `mayday doctor` checks the page's settings."


def _seconds(answer: httpx2.Response) -> float:
    given = answer.headers.get("retry-after", "")
    return float(given) if given.isdigit() else 0.0


def _said(problem: Exception) -> str:
    return excerpt(f"{type(problem).__name__}: {problem}", 500)


def _trust(ca_file: str) -> ssl.SSLContext | bool:
    try:
        return ssl.create_default_context(cafile=ca_file) if ca_file else True
    except (OSError, ssl.SSLError) as problem:
        raise Refused(
            f"The certificates in {ca_file} cannot be read.",
            code="MD-SP-022",
            detail=_said(problem),
            hint="Correct `statuspage.ca_file` in the settings.",
        ) from problem


def _on_this_machine(url: str) -> bool:
    try:
        host = httpx2.URL(url).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (ValueError, httpx2.InvalidURL):
        return False
