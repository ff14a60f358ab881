"""A practice company whose bot and worker have the recovery of `docs/adding-a-recovery.md` in their catalog."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import processes
from lab.engine import connect
from tests.support import example_recovery
from tests.support.practice import Practice

_PARTS = ("bot", "worker")
_READY_SECONDS = 30.0


@contextmanager
def with_example(practice: Practice, tree: Path) -> Iterator[None]:
    """Bot and worker are those of a copy of the tree in which the example was built; afterwards the usual ones."""
    example_recovery.build(tree)
    with pytest.MonkeyPatch.context() as patched:
        example_recovery.procedure(patched)
        patched.setenv("PYTHONPATH", str(tree))
        _start_anew(practice)
        yield
    _start_anew(practice)


def _start_anew(practice: Practice) -> None:
    for part in _PARTS:
        processes.stop(practice.lab, part)
    practice.until(lambda: practice.room.health()["sockets"] == 0, _READY_SECONDS, "the room sees that the bot is gone")
    for part in _PARTS:
        practice.start(part)
    practice.until(lambda: practice.room.health()["sockets"] == 1, _READY_SECONDS, "one bot is connected")


def starts(practice: Practice) -> dict[str, tuple[str, str]]:
    """Each container of the company, running or not: which one it is, and since when it runs."""
    api = connect().api
    listed = api.containers(all=True, filters={"name": f"^/?{practice.lab.prefix}"})
    told = (api.inspect_container(one["Id"]) for one in listed)
    return {one["Name"].lstrip("/"): (one["Id"], one["State"]["StartedAt"]) for one in told}
