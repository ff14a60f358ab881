"""The bot as a process: it listens to Slack and PagerDuty, and draws threads. It starts though Slack is down."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

import uvicorn
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from starlette.applications import Starlette

from actions.catalog import find
from actions.chores.chores import Chore, KeptThreads
from actions.chores.leader_lease import LeaderLease
from actions.engine.procedure import Procedure
from actions.incidents.alarm_watch import AlarmWatch, caller
from actions.incidents.alert_grouping import rules_of
from actions.incidents.page_escalation import lifter
from actions.incidents.site_watch import site_watches
from actions.settings.settings import Settings
from actions.store.store import Store
from actions.tools.outside import Pager, PagerDuty
from bot.house_keeping import HouseKeeping
from bot.incidents.event_intake import Intake
from bot.queue_notifier import QueueNotifier
from bot.slack.app import app_of, build_context
from bot.slack.approver_messages import ApproverMessages
from bot.slack.client import client_for
from bot.slack.home_tab import Home
from bot.slack.socket_mode import connect, hang_up
from bot.slack.thread_loop import APPROVALS, ThreadLoop
from bot.web import health_checks, metrics
from bot.web.health_checks import HealthChecks
from bot.web.http_limits import LimitedProtocol
from bot.web.liveness import Liveness
from bot.web.pagerduty_webhook import pagerduty_route
from bot.web.server import web_app

ALARMS = "alarms"
"""Whose turn it is to raise alarms; the workers take part in it."""
_ALARMS_EVERY = 10.0


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
        self.approvals = ThreadLoop(self.bot, owner, APPROVALS, ApproverMessages, every=1.0)
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
        self.house = HouseKeeping(self.bot, self.liveness)
        self.alarms = self._alarms(owner, enqueue, pager, pagerduty)
        self._kept = KeptThreads()
        self.port = 0

    def _alarms(
        self, owner: str, enqueue: Callable[[str], object], pager: Pager | None, pagerduty: PagerDuty | None
    ) -> tuple[Chore, ...]:
        """The bot takes part in raising alarms: that no worker lives must be said by somebody who is no worker."""
        store, settings = self.bot.store, self.bot.settings
        if pager is None:
            return ()
        call, lift = caller(pagerduty, settings.contacts), lifter(store, pagerduty, settings.site.name, enqueue)
        watch = AlarmWatch(store, find, pager, site_watches(settings, store, find), also_tell=call, lift=lift)
        leader = LeaderLease(store, ALARMS, owner)
        return (Chore(ALARMS, _ALARMS_EVERY, watch.work, store, leader, first=_ALARMS_EVERY),)

    def chores(self) -> tuple[Chore, ...]:
        """What the bot does every now and then, but for what it cannot do without."""
        return (*self.house.chores(), self.home.chore(), *self.alarms)

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set. A thread loop that dies takes the process with it, so that it is started again."""
        loops = {"threads": self.threads.run, APPROVALS: self.approvals.run, "intake": self.intake.run}
        needed = [self._thread(name, work, stop) for name, work in loops.items()]
        self.liveness.needed = needed
        chores = self.chores()
        self._kept.keep_all(chores, stop)
        serve = self._serving(stop)
        in_http = self.bot.settings.slack.mode == "http"
        close: Callable[[], object] = (lambda: None) if in_http else self._socket(stop)
        while not stop.wait(1.0):
            self._kept.keep_all(chores, stop)
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
