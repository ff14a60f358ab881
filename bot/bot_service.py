"""The bot as a process: it listens to Slack and PagerDuty, and draws threads. It starts though Slack is down."""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

import uvicorn
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette

from actions.catalog import find
from actions.engine.leader_lease import LeaderLease
from actions.engine.notes import archive_old_journals, forget_old_deliveries
from actions.engine.procedure import Procedure
from actions.engine.store import Store
from actions.incidents.alarm_watch import AlarmWatch, caller
from actions.incidents.alert_grouping import rules_of
from actions.incidents.kept_events import forget_old_events
from actions.incidents.page_escalation import lifter
from actions.incidents.site_watch import site_watches
from actions.settings.settings import Settings
from actions.tools.outside import Pager, PagerDuty
from bot.incidents.event_intake import Intake
from bot.incidents.raise_alarms import RaiseAlarms
from bot.queue_notifier import QueueNotifier
from bot.slack import identity
from bot.slack.app import app_of, build_context
from bot.slack.client import FAILURES, client_for, trouble
from bot.slack.home_tab import Home
from bot.slack.socket_mode import connect, hang_up
from bot.slack.thread_loop import ThreadLoop
from bot.web import health_checks, metrics
from bot.web.health_checks import HealthChecks
from bot.web.http_limits import LimitedProtocol
from bot.web.liveness import Liveness
from bot.web.pagerduty_webhook import pagerduty_route
from bot.web.server import web_app

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 10.0
_TIDY_EVERY = 3600.0


class BotService:
    """Listener, thread loop, intake and housekeeping, each in a thread of its own; `run` blocks until told to stop."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        catalog: Sequence[Procedure],
        enqueue: Callable[[str], object],
        clock: Callable[[], datetime],
        queue: Callable[[], int | None] = lambda: None,
        *,
        pager: Pager | None = None,
        pagerduty: PagerDuty | None = None,
    ) -> None:
        enqueue = QueueNotifier(enqueue)
        self.bot = build_context(settings, store, catalog, enqueue, clock)
        self.home = Home(self.bot)
        self.app: App = app_of(self.bot, self.home)
        owner = f"bot {socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.threads = ThreadLoop(self.bot, owner)
        self.intake = Intake(store, rules_of(settings), owner, self.threads.wake.set)
        self.liveness = Liveness(settings.slack.mode == "http", posts=lambda: self.threads.posts)
        self.figures = metrics.Figures(self.bot, queue)
        secrets = [secret.get_secret_value() for secret in settings.pagerduty.webhook_secrets]
        # What the web server answers: a line for each module that adds to it.
        self.routes = [
            pagerduty_route(store, secrets, self.intake.wake),
            *health_checks.routes(HealthChecks(self.bot, self.liveness)),
            *metrics.routes(self.bot, self.figures),
        ]
        site, leader = settings.site, LeaderLease(store, "alarms", owner)
        self.alarms: RaiseAlarms | None = None
        if pager is not None:
            call, lift = caller(pagerduty, settings.contacts), lifter(store, pagerduty, site.name, enqueue)
            watch = AlarmWatch(store, find, pager, site_watches(settings, store, find), also_tell=call, lift=lift)
            self.alarms = RaiseAlarms(watch, leader)
        self.port = 0

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set. A thread loop that dies takes the process with it, so that it is started again."""
        needed = [self._thread("threads", self.threads.run, stop), self._thread("intake", self.intake.run, stop)]
        self.liveness.needed = needed
        self._thread("keeper", self._keep_house, stop)
        self._thread("home", self.home.run, stop)
        if self.alarms is not None:
            self._thread("alarms", self.alarms.run, stop)
        serve = self._serving(stop)
        in_http = self.bot.settings.slack.mode == "http"
        close: Callable[[], object] = (lambda: None) if in_http else self._socket(stop)
        while not stop.wait(1.0):
            if dead := [thread.name for thread in needed if not thread.is_alive()]:
                raise SystemExit(f"the thread {dead[0]} has died, without which nothing is right; see the log above")
        close()
        serve()
        for thread in needed:
            thread.join(5)

    def _thread(self, name: str, work: Callable[[threading.Event], None], stop: threading.Event) -> threading.Thread:
        thread = threading.Thread(target=work, args=(stop,), name=name, daemon=True)
        thread.start()
        return thread

    def _socket(self, stop: threading.Event) -> Callable[[], object]:
        token = self.bot.settings.slack.app_token.get_secret_value()
        handler = SocketModeHandler(self.app, token, web_client=client_for(self.bot.settings.slack), ping_interval=5)
        self.liveness.socket = handler.client
        connect(handler, stop)
        return lambda: hang_up(handler)

    def _serving(self, stop: threading.Event) -> Callable[[], None]:
        """The web server, where somebody calls us: Slack in HTTP mode, PagerDuty, whoever watches us.

        Returns how to end it.
        """
        slack, web = self.bot.settings.slack, self.bot.settings.web
        if slack.mode == "http":
            return self._serve(slack.http_host, slack.http_port, web_app(self.app, *self.routes), stop)
        return self._serve(web.host, web.port, web_app(None, *self.routes), stop) if web.enabled else lambda: None

    def _serve(self, host: str, port: int, app: Starlette, stop: threading.Event) -> Callable[[], None]:
        server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="warning", http=LimitedProtocol))
        serving = threading.Thread(target=server.run, name="http", daemon=True)
        self._thread("figures", self.figures.warm, stop)
        serving.start()
        while not server.started and serving.is_alive() and not stop.wait(0.05):
            pass
        if not serving.is_alive():
            raise SystemExit(f"port {port} cannot be listened on; is another bot running?")
        if server.started:
            self.port = server.servers[0].sockets[0].getsockname()[1]

        def close() -> None:
            server.should_exit = True
            serving.join(5)

        return close

    def _keep_house(self, stop: threading.Event) -> None:
        """Learn who the bot is, keep people warm for quick answers, drop old deliveries."""
        every = max(5.0, self.bot.settings.people.cache_seconds / 2)
        pause, tidied = 0.5, 0.0
        while not stop.is_set():
            try:
                identity.ask(self.bot.store, self.bot.client)
                self.bot.people.warm()
                self.liveness.heard(True, "Slack answers")
                pause = every
            except FAILURES as error:
                self.liveness.heard(False, f"Slack did not answer ({trouble(error).code})")
                _log.warning("Slack did not say who the bot is: %s", trouble(error).code)
                pause = min(_LONGEST_PAUSE, pause * 2)
            if tidied <= 0:
                self._tidy()
                tidied = _TIDY_EVERY
            tidied -= pause
            stop.wait(pause)

    def _tidy(self) -> None:
        """Drop what nobody asks for any more, and archive old journals where the settings say so."""
        try:
            forget_old_deliveries(self.bot.store)
            forget_old_events(self.bot.store)
            if days := self.bot.settings.archive_days:
                archive_old_journals(self.bot.store, days)
        except SQLAlchemyError as error:
            _log.warning("the store cannot be tidied now (%s)", type(error).__name__)
