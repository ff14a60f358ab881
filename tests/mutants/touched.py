"""Which test runs which line, and how long each test takes: found by one run of all, each test as if it were alone."""

from __future__ import annotations

import functools
import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import coverage
import pytest

from tests.mutants.mutant import ROOT

_OURS = tuple(f"{ROOT}/{folder}/" for folder in ("actions", "bot", "workers", "lab", "tests"))


@dataclass
class Touched:
    """By module and line the tests that run it, as numbers in the list of all. `failed` fail without any mutant."""

    tests: dict[tuple[str, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[int, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def take(self, other: Touched) -> None:
        """Add what another process found."""
        for place, tests in other.tests.items():
            self.tests[place] |= tests
        self.seconds |= other.seconds
        self.failed += other.failed

    def those(self, module: str, lines: Iterable[int]) -> list[int]:
        """The tests of some lines, the quickest first."""
        found = set().union(*(self.tests.get((module, line), ()) for line in lines))
        return sorted(found, key=lambda test: self.seconds[test])


def touch(items: Sequence[pytest.Item], numbers: Sequence[int], run: Callable[[pytest.Item], bool]) -> Touched:
    """Run some of the tests and watch them. `run` says whether one passes."""
    found = Touched()
    watch = coverage.Coverage(data_file=None, include=[f"{ROOT}/actions/*"], config_file=False)
    kept = _caches()
    watch.start()
    for number in numbers:
        # What an earlier test left in a cache, this one would not run.
        for one in kept:
            one.cache_clear()
        watch.switch_context(str(number))
        began = time.monotonic()
        if not run(items[number]):
            found.failed.append(items[number].nodeid)
        found.seconds[number] = time.monotonic() - began
    watch.stop()
    failed = set(found.failed)
    data = watch.get_data()
    for file in data.measured_files():
        module = str(Path(file).relative_to(ROOT))
        for line, contexts in data.contexts_by_lineno(file).items():
            found.tests[module, line] |= {int(c) for c in contexts if c and items[int(c)].nodeid not in failed}
    return found


def _caches() -> list[functools._lru_cache_wrapper[object]]:
    gc.unfreeze()
    every = [thing for thing in gc.get_objects() if isinstance(thing, functools._lru_cache_wrapper)]
    gc.freeze()
    return [one for one in every if one.__wrapped__.__code__.co_filename.startswith(_OURS)]
