"""A host without Docker and without a worker, on which commands are typed as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actions.engine.rights import Speaker
from actions.engine.status import state_of
from actions.incidents import incident_actions
from actions.incidents.draft_offers import offered, to_publish
from actions.incidents.incident import Incident
from actions.incidents.open_errands import Errand, open_errand
from actions.settings.outside import StatusPageSettings
from actions.store.store import Store
from tests.support.paths import ROOT
from tests.support.waiting import now

NO_DOCKER = "tcp://127.0.0.1:9"
ANA = Speaker("operator:ana", "Ana", may_ask=True, may_approve=True)


@dataclass
class Host:
    """A host without Docker and without a worker, whose status page is a folder."""

    folder: Path
    settings: str = ""

    def __post_init__(self) -> None:
        self.store = Store(f"sqlite:///{self.folder / 'mayday.db'}", now)
        self.name, _ = incident_actions.declare(self.store, "Search is slow", "high", ANA, key="k")
        (self.folder / "settings.toml").write_text(
            f'store = "sqlite:///{self.folder / "mayday.db"}"\n'
            f'[site]\ndocker_host = "{NO_DOCKER}"\n'
            f'[statuspage]\nkind = "files"\npath = "{self.page}"\n'
            f'[[operators.people]]\nid = "ana"\nname = "Ana"\nos_users = ["{os.getuid()}"]\n{self.settings}'
        )

    @property
    def page(self) -> Path:
        return self.folder / "page"

    def asks(self, errand: Errand) -> str:
        incident = incident_actions.known(self.store, self.name)
        return open_errand(self.store, errand, incident, ANA, site="main", key=errand.procedure.name)[0]

    def update(self) -> str:
        """An update for the status page that somebody has let out."""
        incident = incident_actions.known(self.store, self.name)
        settings = StatusPageSettings(kind="files", path=str(self.page))
        return self.asks(to_publish(incident, offered(settings, incident, None, "opened")))

    @property
    def incident(self) -> Incident:
        return incident_actions.known(self.store, self.name)

    def type(self, *words: str, redis: str = "redis://127.0.0.1:9/0", **told: str) -> subprocess.CompletedProcess[str]:
        """A command in a process of its own; `told` stands in its environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAGERDUTY_", "MAYDAY_"))}
        config = {"MAYDAY_CONFIG": str(self.folder / "settings.toml"), "MAYDAY_REDIS": redis, "SUDO_UID": ""}
        return subprocess.run(
            [sys.executable, str(ROOT / "mayday.py"), *words],
            env={**kept, **config, **told},
            cwd=self.folder,
            timeout=50,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def json(self, *words: str, **told: str) -> Any:
        """What a command that works says to a program."""
        said = self.type(*words, "--json", **told)
        assert said.returncode == 0, said.stderr + said.stdout
        return json.loads(said.stdout)

    def state(self, run: str) -> str:
        return str(state_of(self.store.run(run)))

    def public(self) -> str:
        return (self.page / "status.json").read_text()
