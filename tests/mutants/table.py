"""The table at the end: how many of each module were noticed, and where the ones are that no test notices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.mutants.mutant import Outcome, Result


def table(results: Sequence[Result]) -> str:
    """All lines of it; those in guard clauses apart from those elsewhere."""
    return "\n".join([*_rows(results), *_survivors(results)])


def _rows(results: Sequence[Result]) -> Iterator[str]:
    columns = ("mutants", *Outcome)
    yield f"\n{'':<36}" + "".join(f"{name:>12}" for name in columns) + f"{'in guards':>12}"
    for module in sorted({one.mutant.module for one in results}):
        yield _row(module, [one for one in results if one.mutant.module == module])
    yield _row("all", results)


def _row(name: str, results: Sequence[Result]) -> str:
    counts = Counter(one.outcome for one in results)
    alive = sum(one.mutant.guard for one in results if one.outcome is Outcome.SURVIVED)
    numbers = (len(results), *(counts[outcome] for outcome in Outcome), alive)
    return f"{name:<36}" + "".join(f"{number:>12}" for number in numbers)


def _survivors(results: Sequence[Result]) -> Iterator[str]:
    alive = sorted(
        (one.mutant for one in results if one.outcome is Outcome.SURVIVED),
        key=lambda mutant: (not mutant.guard, mutant.module, mutant.line),
    )
    for mutant in alive:
        was, now = mutant.change()
        where = "in a guard clause" if mutant.guard else "elsewhere"
        yield f"\n{mutant.module}:{mutant.line} {mutant.function}, {where}: {mutant.operator}"
        yield f"  - {was}\n  + {now}"
