"""`/healthz/live` and `/healthz/ready`: whether to start the bot again, and whether to rely on it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from dataclasses import asdict, dataclass, field

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actions.findings import Finding
from bot.context import BotContext
from bot.runs.requests import NO_WORKER, has_worker
from bot.web.liveness import Liveness

_NOTE = "written"
"""What the store is asked to keep, to see that it does."""


@dataclass
class HealthChecks:
    """Answers both questions. The store is waited for `wait_seconds` seconds only: it may hang, and whoever asks
    has a limit of its own."""

    bot: BotContext
    liveness: Liveness
    wait_seconds: float = 3.0
    _askers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, thread_name_prefix="healthz"))

    def live(self) -> list[Finding]:
        """Alive though store, Slack and worker are away: starting the bot again would mend none of them."""
        return [Finding("process", True, "answers"), *self.liveness.alive()]

    def ready(self) -> list[Finding]:
        """Whether what people say is heard, kept and carried out."""
        try:
            kept = self._askers.submit(self._store).result(self.wait_seconds)
        except TimeoutError:
            kept = [Finding("store", False, f"did not answer in {self.wait_seconds:g} s", "Look at the store.")]
        return [*self.live(), *kept, self.liveness.slack(), *self.liveness.threads()]

    def _store(self) -> list[Finding]:
        try:
            # A full disk and a lock are noticed by writing alone.
            self.bot.store.keep(_NOTE, "bot", "")
            worker = has_worker(self.bot)
        except SQLAlchemyError as error:
            seen = str(getattr(error, "orig", None) or type(error).__name__)[:200]
            return [Finding("store", False, seen, "See that `store` in the settings can be written.")]
        said = ("alive", "") if worker else ("none is alive", NO_WORKER)
        return [Finding("store", True, "answers"), Finding("worker", worker, *said)]


def routes(health: HealthChecks) -> list[Route]:
    """What this module adds to the bot's web server."""

    def live(_request: Request) -> Response:
        return _answer(health.live())

    def ready(_request: Request) -> Response:
        return _answer(health.ready())

    return [Route("/healthz/live", live), Route("/healthz/ready", ready)]


def _answer(found: Sequence[Finding]) -> Response:
    well = all(finding.ok for finding in found)
    return JSONResponse({"ok": well, "checks": [asdict(finding) for finding in found]}, 200 if well else 503)
