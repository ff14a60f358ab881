"""Tries each mutant within one pytest that has collected the tests: in a fork, on the tests that run its lines."""

from __future__ import annotations

import hashlib
import importlib
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.mutants.children import Job, side_by_side
from tests.mutants.mutant import ROOT, Mutant, Outcome, Result, text
from tests.mutants.swap import Functions
from tests.mutants.touched import Touched, touch

_LEAST_SECONDS = 10.0
_TIMES_AS_LONG = 10.0
_KEPT = ROOT / ".pytest_cache" / "mutants"


class Trial:
    """A plugin of pytest, which does something else with the tests than to run them all."""

    def __init__(self, mutants: Sequence[Mutant], jobs: int, told: Callable[[Result], None]) -> None:
        self.mutants, self.jobs, self.told = mutants, jobs, told
        self.results: list[Result] = []
        self.failed: list[str] = []
        self._noticed = ""
        self._killers: Counter[int] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._noticed = "Timeout" if "Timeout" in str(report.longrepr)[-200:] else report.nodeid

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        modules = sorted({mutant.module for mutant in self.mutants})
        for module in modules:
            importlib.import_module(module.removesuffix(".py").replace("/", "."))
        functions = Functions(str(ROOT / module) for module in modules)
        touched = self._touched(session.items)
        self.failed = touched.failed
        jobs = self._jobs(session.items, functions, touched)
        for mutant, (outcome, killer), seconds in side_by_side(jobs, self.jobs):
            if killer is not None:
                self._killers[killer] += 1
            by = session.items[killer].nodeid if killer is not None else ""
            self.results.append(Result(mutant, outcome, by, seconds))
            self.told(self.results[-1])
        return True

    def _jobs(self, items: list[pytest.Item], functions: Functions, touched: Touched) -> Iterator[Job]:
        for mutant in self.mutants:
            # Those that noticed others lately will often notice this one too.
            tests = sorted(touched.those(mutant.module, mutant.lines), key=lambda test: -self._killers[test])
            seconds = _LEAST_SECONDS + _TIMES_AS_LONG * sum(touched.seconds[test] for test in tests)
            find = partial(self._try, mutant, functions, items, tests, touched)
            yield Job(mutant, find, seconds, (Outcome.TIMED_OUT, None))

    def _try(
        self, mutant: Mutant, functions: Functions, items: list[pytest.Item], tests: list[int], touched: Touched
    ) -> tuple[Outcome, int | None]:
        functions.swap(str(ROOT / mutant.module), text(mutant.module), mutant.source())
        for test in tests:
            patience = _LEAST_SECONDS + _TIMES_AS_LONG * touched.seconds[test]
            items[test].add_marker(pytest.mark.timeout(patience), append=False)
            if not self._passes(items[test]):
                return (Outcome.TIMED_OUT if self._noticed == "Timeout" else Outcome.KILLED), test
        return Outcome.SURVIVED, None

    def _passes(self, item: pytest.Item) -> bool:
        self._noticed = ""
        # No next item: nothing that was set up for it is kept for another.
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return not self._noticed

    def _touched(self, items: list[pytest.Item]) -> Touched:
        """As it was found before, where nothing has changed since."""
        kept = _KEPT / _fingerprint(items)
        if kept.exists():
            found: Touched = pickle.loads(kept.read_bytes())
            return found
        found = Touched()
        parts = [range(first, len(items), self.jobs) for first in range(self.jobs)]
        jobs = [Job(None, partial(touch, items, part, self._passes), 3600.0) for part in parts]
        for _, part, _ in side_by_side(jobs, self.jobs):
            found.take(part)
        _KEPT.mkdir(parents=True, exist_ok=True)
        for old in _KEPT.iterdir():
            old.unlink()
        kept.write_bytes(pickle.dumps(found))
        return found


def _fingerprint(items: Sequence[pytest.Item]) -> str:
    found = hashlib.sha256("\n".join(item.nodeid for item in items).encode())
    for folder in ("actions", "bot", "workers", "lab", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes() if "mutants" not in path.parts else b"")
    return found.hexdigest()


def modules_of(asked: Sequence[str]) -> Iterator[str]:
    """The modules that some paths name."""
    for one in asked:
        path = ROOT / one
        paths: list[Path] = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        yield from (str(found.relative_to(ROOT)) for found in paths)
