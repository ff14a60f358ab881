"""Soaks a practice company for some minutes: round after round; a line for each, a table at the end."""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import time
from collections.abc import Iterable

from actions.engine.errors import RecoveryError
from tests.clusters.dice import Dice
from tests.soak.aim import draw_aim
from tests.soak.place import soaked_company
from tests.soak.rounds import Round
from tests.soak.schedule import draw_faults
from tests.soak.verdict import Verdict, table

_ROUNDS_OF_ONE = 8
"""A company keeps what was live before each recovery; after so many rounds there is a new one."""


def main() -> int:
    """Exit code 0 where every round was right."""
    asked = _options()
    # Whoever ends it from outside gets everything cleared away too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if asked.show:
        for number in asked.only or range(1, 11):
            _show(Dice(asked.seed, number), number)
        return 0
    verdicts: list[Verdict] = []
    end = time.monotonic() + asked.minutes * 60
    numbers = iter(asked.only or itertools.count(1))
    try:
        while (left := next(numbers, None)) is not None and (asked.only or time.monotonic() < end):
            _company(itertools.chain([left], numbers), asked, end, verdicts)
    except KeyboardInterrupt:
        say("Ended; nothing is left behind.")
    except RecoveryError as trouble:
        say("\n".join(part for part in (trouble.message, trouble.detail, trouble.hint) if part))
        return 1
    finally:
        if verdicts:
            say(table(verdicts, asked.seed))
    return 1 if not verdicts or any(v.wrong for v in verdicts) else 0


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=10, help="no round begins after so many")
    options.add_argument("--seed", type=int, default=1, help="all is drawn from it")
    options.add_argument("--only", type=lambda text: [int(n) for n in text.split(",")], help="the numbers of some")
    options.add_argument("--show", action="store_true", help="what would be drawn, and nothing is done")
    return options.parse_args()


def _company(numbers: Iterable[int], asked: argparse.Namespace, end: float, verdicts: list[Verdict]) -> None:
    """Some rounds in one company; after a wrong one there is another, as nobody knows what it left."""
    try:
        with soaked_company() as place:
            for number in itertools.islice(numbers, _ROUNDS_OF_ONE):
                verdicts.append(Round(place, Dice(asked.seed, number), number).play())
                say(verdicts[-1].line(asked.seed))
                if verdicts[-1].wrong or (not asked.only and time.monotonic() >= end):
                    break
            _undisturbed()
    except BaseException:
        _undisturbed()
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _undisturbed() -> None:
    """Whoever presses Ctrl-C twice waits for the end of the clearing away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _show(dice: Dice, number: int) -> None:
    say(f"{dice.seed}/{number} {draw_aim(dice).says()}")
    for fault in draw_faults(dice):
        say(f"       {fault.says()}")


def say(text: str) -> None:
    """A line for whoever reads along."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
