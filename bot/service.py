"""The bot as a process: it listens to Slack, and draws threads. It starts though Slack is down."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import BaseRoute

from actions.engine.notes import forget_old_deliveries
from actions.engine.procedure import Procedure
from actions.engine.store import Store
from actions.settings import Settings
from bot import health, identity, metrics
from bot.app import app_of, build_desk
from bot.health import Health, Vitals
from bot.home import Home
from bot.serving import Serving
from bot.sink import Sink
from bot.slack import FAILURES, client_for, trouble
from bot.web import slack_routes, web_app

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 10.0
_TIDY_EVERY = 3600.0


class BotService:
    """Listener, tail and housekeeping, each in a thread of its own; `run` blocks until told to stop."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        catalog: Sequence[Procedure],
        ring: Callable[[str], object],
        clock: Callable[[], datetime],
        queue: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.desk = build_desk(settings, store, catalog, ring, clock)
        self.home = Home(self.desk)
        self.app: App = app_of(self.desk, self.home)
        self.sink = Sink(self.desk)
        self.figures = metrics.Figures(self.desk, queue)
        self.port = 0
        self._tail: threading.Thread | None = None
        self._handler: SocketModeHandler | None = None
        self._heard: tuple[bool, str] = (False, "nobody has asked Slack yet")

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set. A tail that dies takes the process with it, so that it is started again."""
        self._tail = threading.Thread(target=self.sink.run, args=(stop,), name="tail", daemon=True)
        self._tail.start()
        for name, work in (("keeper", self._keep_house), ("home", self.home.run)):
            threading.Thread(target=work, args=(stop,), name=name, daemon=True).start()
        close_web = self._web(stop)
        close = self._socket(stop) if self.desk.settings.slack.mode == "socket" else lambda: None
        while not stop.wait(1.0):
            if not self._tail.is_alive():
                raise SystemExit("the tail that draws the threads has died; see the log above")
        close()
        close_web()
        self._tail.join(5)

    def _routes(self) -> list[BaseRoute]:
        """What the web server answers: a line for each module that adds to it."""
        vitals = Vitals(self._tail_lives, self._slack)
        return [
            *(slack_routes(self.app) if self.desk.settings.slack.mode == "http" else ()),
            *health.routes(Health(self.desk, vitals)),
            *metrics.routes(self.desk, self.figures),
        ]

    def _web(self, stop: threading.Event) -> Callable[[], None]:
        """Slack's HTTP mode needs the server; else the settings say whether there is one."""
        slack, web = self.desk.settings.slack, self.desk.settings.web
        if slack.mode == "socket" and not web.enabled:
            return lambda: None
        host, port = (slack.http_host, slack.http_port) if slack.mode == "http" else (web.host, web.port)
        serving = Serving(web_app(self._routes()), host, port)
        serving.begin(stop)
        self.port = serving.port
        threading.Thread(target=self._count, name="figures", daemon=True).start()
        return serving.close

    def _count(self) -> None:
        """Count what happened before this process began, so that the first scrape does not wait for it."""
        try:
            self.figures.catch_up()
        except SQLAlchemyError as error:
            _log.warning("the store cannot be counted yet (%s)", type(error).__name__)

    def _tail_lives(self) -> bool:
        return self._tail is not None and self._tail.is_alive()

    def _slack(self) -> tuple[bool, str]:
        """How it stands with Slack: the socket where there is one, else how the last question went."""
        if self.desk.settings.slack.mode == "http":
            return self._heard
        connected = self._handler is not None and self._handler.client.is_connected()
        return connected, "the socket is open" if connected else f"the socket is not open; {self._heard[1]}"

    def _socket(self, stop: threading.Event) -> Callable[[], None]:
        token = self.desk.settings.slack.app_token.get_secret_value()
        handler = SocketModeHandler(self.app, token, web_client=client_for(self.desk.settings.slack), ping_interval=5)
        self._handler = handler
        pause = 0.5
        while not stop.is_set():
            try:
                handler.client.wss_uri = None  # A ticket that led nowhere is not good for a second try.
                handler.connect()  # type: ignore[no-untyped-call]
                break
            except FAILURES as error:
                _log.warning("Slack cannot be reached (%s); trying again in %.1f s", trouble(error).code, pause)
                stop.wait(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
        return handler.close

    def _keep_house(self, stop: threading.Event) -> None:
        """Learn who the bot is, keep people warm for quick answers, drop old deliveries."""
        every = max(5.0, self.desk.settings.people.cache_seconds / 2)
        pause, tidied = 0.5, 0.0
        while not stop.is_set():
            try:
                identity.ask(self.desk.store, self.desk.client)
                self.desk.people.warm()
                self._heard = (True, "Slack answers")
                pause = every
            except FAILURES as error:
                self._heard = (False, f"Slack did not answer ({trouble(error).code})")
                _log.warning("Slack did not say who the bot is: %s", trouble(error).code)
                pause = min(_LONGEST_PAUSE, pause * 2)
            if tidied <= 0:
                forget_old_deliveries(self.desk.store)
                tidied = _TIDY_EVERY
            tidied -= pause
            stop.wait(pause)
