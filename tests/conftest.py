"""What the core tests share: a company in memory, and short logs."""

from __future__ import annotations

import gc
import os
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Worlds are brought in where they are wanted: what only hands tests out to others would read them in vain.
if TYPE_CHECKING:
    from tests.support.worlds.planned import Company
    from tests.support.worlds.post import Post

# Pictures of every local variable take seconds to draw and say nothing that the assertion does not.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# A machine that is busy with something else is no failure of ours.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=400)
settings.load_profile("patient")


@pytest.fixture
def here() -> Company:
    """A company at work since 08:00: messages 1 to 40, one a minute, the last at 08:40:09.5, not all archived."""
    from tests.support.worlds.planned import Company

    return Company()


@cache
def _at_the_preview() -> Company:
    from tests.support.worlds.lies import previewed
    from tests.support.worlds.planned import Company

    return previewed(Company())


@cache
def _after_the_cutover() -> Company:
    from tests.support.worlds.company import SITE
    from tests.support.worlds.planned import APPROVER

    made = _at_the_preview().fork()
    made.answer("Cut over", APPROVER, SITE.postgres)
    made.work()
    assert made.run().finished == "recovered"
    return made


@pytest.fixture
def preview() -> Company:
    """A company whose clone stands at its stopping point, and nothing was cut over."""
    return _at_the_preview().fork()


@pytest.fixture
def recovered() -> Company:
    """A company whose recovery ended well."""
    return _after_the_cutover().fork()


@pytest.fixture
def post() -> Post:
    """A worker's chores with PagerDuty, where one incident is open."""
    from tests.support.worlds.post import Post

    made = Post()
    made.world.opens("P0")
    return made


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder for a database, in memory where the machine has such: each commit would wait for the disk otherwise."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(prefix="mayday-", dir="/dev/shm") as folder:
        yield Path(folder)


_ROOM = 2 << 30


def pytest_configure(config: pytest.Config) -> None:
    """The folders of tests lie in memory where those that passed are not kept: a store waits for the disk otherwise.

    Not where memory has no room for them, or where no program may be started from there.
    """
    memory = Path("/dev/shm")
    if config.getini("tmp_path_retention_policy") != "failed" or not os.access(memory, os.W_OK):
        return
    if shutil.disk_usage(memory).free > _ROOM and not os.statvfs(memory).f_flag & os.ST_NOEXEC:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


RING_OF_A_MODULE = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.(parts|whole|browser|rules|versions)\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A module that is of an outer ring as a whole is not even imported where `-m` leaves that ring out."""
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    ring = RING_OF_A_MODULE.search(collection_path.read_text())
    chosen = config.getoption("markexpr")
    # An hour of recoveries is never meant unless it is named.
    unnamed = ring is not None and ring[1] == "versions" and ring[1] not in chosen
    # None, not False: the other reasons to pass over a file still count.
    return True if ring and (unnamed or f"not {ring[1]}" in chosen) else None


# Far above what each ring needs on a slow machine: a test that hangs, or floods a disk, ends and says where it was.
_SECONDS = {"versions": 1800, "whole": 1200, "browser": 300, "parts": 300, "deep": 600}
_ELSE = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test has a limit of time, by its ring."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            rings = [limit for ring, limit in _SECONDS.items() if item.get_closest_marker(ring)]
            item.add_marker(pytest.mark.timeout(max(rings, default=_ELSE)))


def pytest_collection() -> None:
    # What is imported stays; going through it for garbage again and again takes a second in all.
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
