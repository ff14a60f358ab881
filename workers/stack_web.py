"""HTTP to the stack's own services: one bounded question, its status and the start of its answer."""

from __future__ import annotations

from functools import cached_property

import httpx2

from actions.engine.errors import RecoveryError
from actions.redact import excerpt, redact

_KEPT_BYTES = 64 * 1024


class StackWeb:
    """Asks services of the stack; never through a proxy of the environment, never following a redirect."""

    @cached_property
    def _client(self) -> httpx2.Client:
        """Made for the first question: hardly a look asks one, and each client reads all certificates of the system."""
        return httpx2.Client(trust_env=False, follow_redirects=False)

    def get(self, url: str, *, seconds: float = 10) -> tuple[int, str]:
        try:
            with self._client.stream("GET", url, timeout=seconds) as answer:
                return answer.status_code, _start_of(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
            raise RecoveryError(
                f"{redact(url)} does not answer.",
                code="MD-STK-009",
                detail=excerpt(f"{type(problem).__name__}: {problem}"),
                hint="See that the service runs and its address in the settings is right.",
            ) from problem

    def close(self) -> None:
        """Close its connections, if it ever had any."""
        if "_client" in vars(self):
            self._client.close()


def _start_of(answer: httpx2.Response) -> str:
    body = b""
    for piece in answer.iter_bytes():
        body += piece
        if len(body) >= _KEPT_BYTES:
            break
    return body[:_KEPT_BYTES].decode(answer.encoding or "utf-8", errors="replace")
