"""Measures everything once and prints one table. Nothing is judged here but the bounds beside the figures."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from actions.engine.errors import RecoveryError
from lab import company, town_process
from lab.bench.failover import failover_figures
from lab.bench.figure import Figure
from lab.bench.ground import Ground
from lab.bench.incidents import incident_figures
from lab.bench.recoveries import acknowledged, cut_over, plan_with, restore_ratio, worker_memory
from lab.bench.thread_figures import thread_figures
from lab.home import Lab

_CHOICES = ("all", "recovery", "incidents", "failover")


def main() -> int:
    """Measure; the exit code tells whether something broke, never whether a figure was missed."""
    options = argparse.ArgumentParser(prog="python -m lab.bench", description=__doc__)
    options.add_argument("--gigabytes", type=float, default=2.0, help="data in the database")
    options.add_argument("--wal", type=float, default=1.0, help="gigabytes of WAL to replay")
    options.add_argument("--segments", type=int, default=500, help="archived segments for the plan")
    options.add_argument("--rounds", type=int, default=6, help="how often the restore is paired with one by hand")
    options.add_argument(
        "--only", choices=("all", "recovery", "incidents", "failover"), default="all", help="which figures"
    )
    options.add_argument("--root", type=Path, default=None, help="where the company's data goes")
    asked = options.parse_args()
    console = Console(highlight=False)
    # Whoever ends it from outside, such as a time limit, gets the company cleared away too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="mayday-bench-", dir=asked.root) as root:
        try:
            if asked.only != "failover":
                with company_of(Path(root) / "one", asked.gigabytes, console) as ground:
                    measure(ground, asked, figures)
            if asked.only in ("all", "failover"):
                failover_figures(console, Path(root), figures)
        except RecoveryError as trouble:
            console.print(trouble.words(), markup=False)
            return 1
        finally:
            # What was measured before something broke took an hour to get.
            show(console, figures)
    return 0


@contextmanager
def company_of(root: Path, gigabytes: float, console: Console) -> Iterator[Ground]:
    """The company that all but a failover is measured on."""
    lab = Lab(root, prefix="mbench-", project="mbench", hold_seconds=0)
    try:
        company.up(lab, town=True, gigabytes=gigabytes, say=console.print)
        yield Ground(lab, console)
    finally:
        town_process.stop(lab)
        Ground(lab, console).clear()
        company.down(lab, purge=True)


def measure(ground: Ground, asked: argparse.Namespace, figures: list[Figure]) -> None:
    """Add all figures that are asked for, the dear ones first while the company is fresh."""
    if asked.only != "incidents":
        figures.append(cut_over(ground))
        figures += thread_figures(ground)
    target = ground.write_wal(asked.wal)
    if asked.only != "incidents":
        recovery_figures(ground, target, asked, figures)
    if asked.only != "recovery":
        incident_figures(ground, target, figures)


def recovery_figures(ground: Ground, target: str, asked: argparse.Namespace, figures: list[Figure]) -> None:
    """Add what a recovery costs."""
    figures += restore_ratio(ground, target, asked.rounds)
    figures.append(acknowledged(ground, target))
    figures.append(worker_memory(ground))
    ground.archive_segments(asked.segments)
    figures.append(plan_with(ground))


def show(console: Console, figures: list[Figure]) -> None:
    """The table."""
    table = Table("what", "measured", "bound", "", box=None, pad_edge=False)
    for figure in figures:
        table.add_row(figure.what, figure.measured, figure.bound, figure.verdict)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
