"""Keeps what tells of a wrong round: its story, the logs, the journals, the room, the servers' own words."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.soak.faults import docker
from tests.soak.verdict import Verdict

if TYPE_CHECKING:
    from tests.soak.rounds import Round

_TOLD = ("title", "option", "by", "resumed", "outcome", "said", "error", "detail", "missed")
_FILES = ("mayday.db", "mayday.db-wal", "room.json", "truth.jsonl", "town.log")


def keep(played: Round, verdict: Verdict, began: datetime) -> str:
    """The folder in which all of it is; it stays."""
    folder = Path(tempfile.mkdtemp(prefix=f"mayday-soaked-{played.dice.seed}-{played.number}-"))
    lab = played.place.lab
    shutil.copytree(lab.root / "logs", folder / "logs")
    for name in _FILES:
        if (lab.root / name).exists():
            shutil.copy(lab.root / name, folder / name)
    for service in lab.services:
        name = lab.container(service)
        (folder / "logs" / f"{service}.txt").write_text(docker("logs", "--timestamps", "--tail", "400", name))
    (folder / "story.txt").write_text("\n".join(_story(played, verdict, began)) + "\n")
    return str(folder)


def _story(played: Round, verdict: Verdict, began: datetime) -> Iterator[str]:
    yield verdict.line(played.dice.seed)
    yield from ("", "WRONG", *verdict.wrong, "", f"FAULTS, since {began:%Y-%m-%d %H:%M:%S.%f}")
    yield from (one.says() for one in sorted(verdict.struck, key=lambda one: one.began))
    yield from ("", "PEOPLE", *played.people.said, "", "JOURNAL")
    for entry in played.place.store.entries(played.run) if played.run else []:
        told = " ".join(str(entry.data.get(key) or "") for key in _TOLD)
        yield f"{entry.at:%H:%M:%S.%f} {entry.n:3} {entry.kind} {told:.600}"
    yield from ("", "DOCKER")
    for one in played.place.watch.since(began):
        yield f"{one.at:%H:%M:%S.%f} {one.container} {one.action}"
