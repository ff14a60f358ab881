"""What came of a round, and the table of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.soak.aim import Aim
from tests.soak.chaos import Struck


@dataclass(frozen=True)
class Verdict:
    """One round. `wrong` is empty where all was right; `kept` is the folder with what tells of it where it was not."""

    number: int
    aim: Aim
    end: str
    struck: Sequence[Struck]
    wrong: Sequence[str]
    seconds: float
    kept: str = ""

    def line(self, seed: int) -> str:
        """One line while the soak goes on."""
        faults = Counter(one.fault.kind for one in self.struck if not one.missed)
        told = ", ".join(f"{kind}{f' ×{n}' if n > 1 else ''}" for kind, n in faults.items()) or "no fault"
        judged = f"WRONG: {self.wrong[0]:.300} (kept in {self.kept})" if self.wrong else "right"
        return (
            f"{seed}/{self.number:<3} {self.seconds:4.0f} s  {self.aim.says()}; {told}: "
            f"{self.end or 'no end'}, {judged}"
        )


def table(verdicts: Sequence[Verdict], seed: int) -> str:
    """All lines of it."""
    return "\n".join(_lines(verdicts, seed))


def _lines(verdicts: Sequence[Verdict], seed: int) -> Iterator[str]:
    wrong = [v for v in verdicts if v.wrong]
    seconds = sum(v.seconds for v in verdicts)
    yield f"\n{len(verdicts)} rounds of seed {seed} in {seconds / 60:.0f} min"
    yield f"  {len(verdicts) - len(wrong):4} right"
    numbers = f"  make soak SEED={seed} ONLY={','.join(str(v.number) for v in wrong)}" if wrong else ""
    yield f"  {len(wrong):4} wrong{numbers}"
    for what, many in (
        ("ends", Counter(v.end or "no end" for v in verdicts)),
        ("faults", Counter(one.fault.kind for v in verdicts for one in v.struck if not one.missed)),
        (
            "faults that found nothing to strike",
            Counter(one.fault.kind for v in verdicts for one in v.struck if one.missed),
        ),
    ):
        yield f"  {what}"
        yield from (f"  {number:4} {name}" for name, number in sorted(many.items()))
    for verdict in wrong:
        yield f"  round {verdict.number}, kept in {verdict.kept}"
        yield from (f"       {one}" for one in verdict.wrong)
