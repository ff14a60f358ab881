"""A terminal in front of the toys: two people, one store, a house; commands are typed as people type them."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyotp
from pydantic import SecretStr
from typer.testing import CliRunner

from actions.catalog import find
from actions.engine.errors import RecoveryError
from actions.engine.ids import is_errand
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.settings.outside import SlackSettings
from actions.settings.people import Operator, OperatorSettings
from actions.settings.settings import Settings
from actions.store import notes
from actions.store.store import Store
from bot.terminal import enrolment, incident_verbs, reading, status_page, verbs
from bot.terminal.context import Caller, TerminalContext
from tests.support.bot_world import Clock
from tests.support.worlds.toys import PAINT, House, YardTools
from workers.runner.errand_toolbox import ErrandToolbox
from workers.runner.leased_runner import LeasedRunner

NOWHERE = "http://127.0.0.1:9/api/"
CATALOG = (replace(PAINT, about="postgres"),)
APPS: dict[str, Any] = {
    "operator": enrolment.app,
    "journal": reading.journal,
    "incident": incident_verbs.app,
    "status-page": status_page.app,
}
VIEWS = ("runs", "show", "slack-status", "stack")


@dataclass
class Terminal:
    """What is behind the commands. `ana` asks, `bo` approves; whoever types has this process's user id."""

    folder: Path
    clock: Any = field(default_factory=Clock)
    house: House = field(default_factory=House)
    glass_minutes: float = 0
    catalog: tuple[Procedure, ...] = CATALOG
    rung: list[str] = field(default_factory=list)
    docker: bool = True
    redis: str = "redis://127.0.0.1:9/0"
    rights: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            "ana": {"slack": "U0ONCALL", "may_ask": True, "may_approve": False},
            "bo": {"may_ask": True, "may_approve": True},
            "cy": {"may_ask": False, "may_approve": False},
        }
    )

    def __post_init__(self) -> None:
        self.store = Store(f"sqlite:///{self.folder / 'mayday.db'}", self.clock)

    def settings(self, who: str) -> Settings:
        people = tuple(
            Operator(id=name, name=name.title(), os_users=(str(os.getuid() if name == who else 60_000 + n),), **rights)
            for n, (name, rights) in enumerate(self.rights.items())
        )
        operators = OperatorSettings(people=people, keys=str(self.folder / "keys"), glass_minutes=self.glass_minutes)
        return Settings(
            slack=SlackSettings(channel="C0OPS", base_url=NOWHERE), operators=operators, redis=SecretStr(self.redis)
        )

    def terminal(self, who: str) -> TerminalContext:
        def runner(settings: Settings, store: Store) -> Callable[[str], str]:
            return LeasedRunner(store, self.find, self.toolbox, f"terminal of {who}").carry_out

        return TerminalContext(
            settings=lambda path: self.settings(who),
            store=lambda settings: self.store,
            catalog=lambda: self.catalog,
            enqueue=lambda settings, store: self.rung.append,
            runner=runner,
            checks=lambda settings, store: (),
            clock=self.clock,
            reach=self.reach,
            who=Caller(os.getuid()),
            wait_seconds=0.1,
        )

    def reach(self, settings: Settings, run: Run) -> None:
        """Nothing of the outside is set up here, so errands wait."""
        if is_errand(run.id):
            ErrandToolbox().reach(find(run.procedure))
        if not self.docker:
            raise RecoveryError("Docker does not answer this user.", hint="Join its group.")

    def find(self, name: str) -> Procedure:
        return next(procedure for procedure in self.catalog if procedure.name == name)

    @property
    def toolbox(self) -> Any:
        return _Toolbox(self.house)

    def type(self, who: str, *words: str, stdin: str = "") -> Any:
        """One command line; an error is left in `exception`."""
        app = APPS.get(words[0]) or (reading.app if words[0] in VIEWS else verbs.app)
        self.clock.on(0.01)
        line = list(words[1:] if words[0] in APPS and words[0] != "journal" else words)
        return CliRunner().invoke(app, line, input=stdin, obj={"terminal": self.terminal(who)})

    def typed(self, who: str, *words: str, stdin: str = "") -> Any:
        """A command that works."""
        result = self.type(who, *words, stdin=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def json(self, who: str, *words: str) -> Any:
        return json.loads(self.typed(who, *words, "--json").stdout)

    def enrol(self, who: str) -> str:
        """Give somebody codes, as a phone's owner does; their secret."""
        secret = pyotp.random_base32()
        terminal = self.terminal(who)
        path = Path(self.settings(who).operators.keys)
        path.mkdir(exist_ok=True)
        assert terminal.who.uid == os.getuid()
        (path / f"{who}.totp").write_text(secret)
        (path / f"{who}.totp").chmod(0o600)
        return secret

    def code(self, secret: str) -> str:
        return pyotp.TOTP(secret).at(self.clock())

    def work(self) -> None:
        """A worker carries the newest run out."""
        LeasedRunner(self.store, self.find, self.toolbox, "worker").carry_out(self.run.id)

    def a_worker_lives(self) -> None:
        notes.worker_lives(self.store, "w", {"host": "here", "site": "main"})

    @property
    def run(self) -> Run:
        return self.store.run(self.store.runs()[0])

    @property
    def plan(self) -> str:
        assert self.run.question
        return self.run.question.plan[:8]


@dataclass
class _Toolbox:
    house: House

    @contextmanager
    def open(self, run: Run) -> Iterator[YardTools]:
        yield YardTools(self.house)


@contextmanager
def answering_redis() -> Iterator[str]:
    """Something that answers a greeting as Redis does, and knows nothing else; its address."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                one, _ = server.accept()
            except OSError:
                return
            with one:
                while said := one.recv(4096):
                    asked = said.split(b"*")[1:]
                    one.sendall(b"".join(b"+PONG\r\n" if b"PING" in each else b"+OK\r\n" for each in asked))

    threading.Thread(target=serve, daemon=True).start()
    yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"
    server.close()
