"""Makes the mutants and tries them; exit code 0 where each one in a guard clause was noticed."""

from __future__ import annotations

import argparse
import sys
import time

import pytest

from tests.mutants.equivalents import listed, marked, stale
from tests.mutants.mutant import Outcome, Result, mutants
from tests.mutants.table import table
from tests.mutants.trial import Trial, modules_of

_MODULES = [
    "actions/engine",
    "actions/store",
    "actions/control",
    "actions/chores",
    "actions/steps",
    "actions/postgres",
    "actions/clock",
]


def main() -> int:
    asked = _options()
    began = time.monotonic()
    made = [mutant for module in modules_of(asked.only or _MODULES) for mutant in mutants(module, asked.all)]
    _say(f"{len(made)} mutants. First each test is run once to see which lines it touches, unless that is known.")
    trial = Trial(made, asked.jobs, _told)
    code = pytest.main(["-m", asked.marks, "-p", "no:cacheprovider", "--no-summary", "-s"], plugins=[trial])
    if code or len(trial.results) < len(made):
        _say(f"The tests could not be run (exit code {int(code)}).")
        return 2
    known = listed()
    results = marked(trial.results, known)
    _say(table(results))
    for name in trial.failed:
        _say(f"left out, as it fails by itself: {name}")
    for one in stale(trial.results, known):
        _say(f"listed as equivalent, but not so (any more): {one.module} {one.function}: {one.now}")
    alive = sum(one.outcome is Outcome.SURVIVED and one.mutant.guard for one in results)
    _say(f"\n{alive} in guard clauses that no test notices; {(time.monotonic() - began) / 60:.0f} minutes")
    return 1 if alive else 0


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    options.add_argument("--marks", required=True, help="which tests have to notice, as pytest's -m")
    options.add_argument("--only", nargs="+", help="modules or folders")
    options.add_argument("--all", action="store_true", help="outside of guard clauses too")
    options.add_argument("--jobs", type=int, default=2, help="how many side by side")
    return options.parse_args()


def _told(result: Result) -> None:
    if result.outcome is Outcome.SURVIVED:
        mutant = result.mutant
        was, now = mutant.change()
        _say(f"alive: {mutant.module}:{mutant.line} {mutant.operator}, {result.seconds:.0f} s\n  - {was}\n  + {now}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
