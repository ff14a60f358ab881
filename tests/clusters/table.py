"""The table at the end: how many of each outcome, of which kinds those are that are not fine, and their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.clusters.verdict import FINE, Outcome, Verdict


def table(verdicts: Sequence[Verdict], seed: int) -> str:
    """All lines of it."""
    return "\n".join(_lines(verdicts, seed))


def _lines(verdicts: Sequence[Verdict], seed: int) -> Iterator[str]:
    yield f"\n{len(verdicts)} clusters of seed {seed}, {sum(v.seconds for v in verdicts) / len(verdicts):.0f} s each"
    for outcome in Outcome:
        those = [v for v in verdicts if v.outcome is outcome]
        if those:
            numbers = "" if outcome is Outcome.RIGHT else "  " + ", ".join(str(v.index) for v in those)
            yield f"  {len(those):4} {outcome}{numbers}"
    bad = [v for v in verdicts if v.outcome not in FINE]
    if bad:
        yield "\n  not fine of all, by kind"
        yield from _by_kind(verdicts, bad)
    yield f"  longest row of fine ones: {longest(verdicts)}"


def _by_kind(verdicts: Sequence[Verdict], bad: Sequence[Verdict]) -> Iterator[str]:
    every = Counter(kind for v in verdicts for kind in v.kinds)
    wrong = Counter(kind for v in bad for kind in v.kinds)
    for kind, number in sorted(wrong.items(), key=lambda item: -item[1] / every[item[0]]):
        yield f"  {number:4} of {every[kind]:3}  {kind}"


def longest(verdicts: Sequence[Verdict]) -> int:
    """How many in a row were fine, at most."""
    best = now = 0
    for verdict in sorted(verdicts, key=lambda v: v.index):
        now = now + 1 if verdict.outcome in FINE else 0
        best = max(best, now)
    return best
