"""The practice company of a soak: of its own prefix, its worker behind a proxy of Docker's socket."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from actions.store.store import Store
from lab import company, processes, town_process
from lab.home import Lab
from lab.ports import kept_port
from lab.slack.client import PracticeSlack
from tests.soak.processes import Part, Supervisor
from tests.soak.thaw import id_of
from tests.soak.watch import Watch
from tests.support.between import Freeze, daemon_behind

WORKERS, BOTS = ("worker", "worker-2"), ("bot", "bot-2")


@dataclass
class Place:
    """All that a round works with. `idents` are Docker's ids of the company's containers."""

    lab: Lab
    room: PracticeSlack
    store: Store
    freeze: Freeze
    supervisor: Supervisor
    watch: Watch
    idents: dict[str, str]

    @property
    def postgres(self) -> str:
        return self.lab.container("postgres")

    @property
    def writers(self) -> tuple[str, ...]:
        return tuple(self.lab.container(name) for name in ("functions", "hasura", "auth"))

    @property
    def settings(self) -> Path:
        return settings_of(self.lab, 1)


@contextmanager
def soaked_company() -> Iterator[Place]:
    """A company that is up, and of which nothing is left afterwards."""
    # A short path: a socket's address has room for a hundred letters.
    root = Path(tempfile.mkdtemp(prefix="mayday-soak-"))
    root.chmod(0o755)
    name = f"soak{os.getpid()}"
    lab = Lab(root / "lab", prefix=f"{name}-", project=name, lean=True, hold_seconds=0)
    freeze = Freeze()
    supervisor = Supervisor({})
    try:
        with daemon_behind(root / "docker.sock", freeze=freeze) as address:
            company.up(lab, town=True)
            for part in ("worker", "bot"):
                processes.stop(lab, part)
            write_settings(lab, address)
            supervisor = Supervisor(parts_of(lab))
            supervisor.start()
            with Watch(lab.prefix) as watch:
                place = Place(
                    lab,
                    PracticeSlack(company.address(lab)),
                    company.open_store(lab),
                    freeze,
                    supervisor,
                    watch,
                    {name: id_of(lab.container(name)) for name in lab.services},
                )
                for part in ("worker", "bot"):
                    supervisor.want(part)
                assert place.room.wait_for_bot(90), "the bot did not connect"
                yield place
    finally:
        freeze.off()
        supervisor.close()
        town_process.stop(lab)
        company.down(lab, purge=True)
        shutil.rmtree(root, ignore_errors=True)


def settings_of(lab: Lab, number: int) -> Path:
    """The settings of the first or the second bot and worker."""
    return lab.root.parent / f"mayday-{number}.toml"


def write_settings(lab: Lab, docker: str) -> None:
    """The company's own settings, with Docker behind the proxy; two bots on one host need two ports."""
    text = company.settings_file(lab).read_text().replace("[site]\n", f'[site]\ndocker_host = "{docker}"\n', 1)
    ports = [f"port = {kept_port(lab, name)}\n" for name in ("web_port", "second_web_port")]
    assert text.count(ports[0]) == 1
    settings_of(lab, 1).write_text(text)
    settings_of(lab, 2).write_text(text.replace(ports[0], ports[1]))


def parts_of(lab: Lab) -> dict[str, Part]:
    """Two bots and two workers, of which the first ones are always wanted."""
    logs = lab.root / "logs"
    parts = {}
    for number in (1, 2):
        for what in ("worker", "bot"):
            name = what if number == 1 else f"{what}-{number}"
            argv = ("mayday", what, "--config", str(settings_of(lab, number)))
            parts[name] = Part(name, argv, logs / f"{name}.log")
    return parts
