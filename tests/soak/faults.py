"""What each kind of fault does to the company, and how it is taken back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from actions.tools.names import Names
from lab.home import QUEUE_PASSWORD
from tests.soak.place import Place
from tests.soak.schedule import Fault
from tests.soak.thaw import let_go_on, pause

Begun = Callable[[Place, Fault, str], "Iterator[str]"]
MISSED = "missed: "
"""Begins what is told of a fault that found nothing to strike."""


@contextmanager
def fault_on(place: Place, fault: Fault, run: str) -> Iterator[str]:
    """The fault is on inside of the block, and taken back after it, whatever happens; yields what was struck."""
    yield from _HOW[fault.kind](place, fault, run)


def _worker_killed(place: Place, fault: Fault, run: str) -> Iterator[str]:
    yield _told(place.supervisor.kill("worker", fault.lasts), "the worker")


def _bot_killed(place: Place, fault: Fault, run: str) -> Iterator[str]:
    yield _told(place.supervisor.kill("bot", fault.lasts), "the bot")


def _both_killed(place: Place, fault: Fault, run: str) -> Iterator[str]:
    worker, bot = (place.supervisor.kill(part, fault.lasts) for part in ("worker", "bot"))
    yield _told(worker or bot, "worker and bot")


def _told(alive: bool, what: str) -> str:
    return what if alive else f"{MISSED}{what} did not live just then"


def _suspended(part: str) -> Begun:
    def suspended(place: Place, fault: Fault, run: str) -> Iterator[str]:
        pid = place.supervisor.suspend(part)
        try:
            yield _told(bool(pid), f"the {part}")
        finally:
            place.supervisor.let_go_on(pid)

    return suspended


def _redis(place: Place, fault: Fault, run: str) -> Iterator[str]:
    queue = place.lab.queue
    if "emptied" in fault.how:
        said = docker("exec", queue, "redis-cli", "-a", QUEUE_PASSWORD, "--no-auth-warning", "FLUSHALL")
        if said.strip() != "OK":
            yield f"{MISSED}{said.strip()}"
            return
    if "restarted" in fault.how:
        docker("restart", "-t", "0", queue)
    if fault.how != "away":
        yield fault.how
        return
    docker("stop", "-t", "0", queue)
    try:
        yield fault.how
    finally:
        docker("start", queue)


def _slack(place: Place, fault: Fault, run: str) -> Iterator[str]:
    place.room.fault(fault.how)
    try:
        yield fault.how
    finally:
        place.room.fault("off")


def _docker_hangs(place: Place, fault: Fault, run: str) -> Iterator[str]:
    place.freeze.commands = fault.how == "commands"
    place.freeze.began = 0.0  # Each is a fresh one.
    place.freeze.on()
    try:
        yield fault.how
    finally:
        place.freeze.off()


def _clone_paused(place: Place, fault: Fault, run: str) -> Iterator[str]:
    ident = pause(Names(run).clone) if run else ""
    if not ident:
        yield f"{MISSED}no clone ran"
        return
    try:
        yield Names(run).clone
    finally:
        let_go_on(ident)


def _another(part: str) -> Begun:
    def another(place: Place, fault: Fault, run: str) -> Iterator[str]:
        place.supervisor.want(part)
        try:
            yield part
        finally:
            place.supervisor.leave(part, kill=fault.how == "is killed")

    return another


def docker(*argv: str) -> str:
    """Docker's own command line, past the proxy."""
    return subprocess.run(
        ["docker", *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    ).stdout


_HOW: Mapping[str, Begun] = {
    "worker killed": _worker_killed,
    "bot killed": _bot_killed,
    "both killed": _both_killed,
    "worker suspended": _suspended("worker"),
    "bot suspended": _suspended("bot"),
    "redis": _redis,
    "slack": _slack,
    "docker hangs": _docker_hangs,
    "clone paused": _clone_paused,
    "second worker": _another("worker-2"),
    "second bot": _another("bot-2"),
}
