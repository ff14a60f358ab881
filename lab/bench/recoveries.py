"""The figures of recoveries: what is measured, how, and the bound that it is held against."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from actions.engine.journal import Kind
from actions.engine.status import RunState
from lab import company, processes
from lab.bench.by_hand import ByHand
from lab.bench.figure import Figure, percentile
from lab.bench.ground import Ground

_COMMANDS_A_SECOND = 20
_COMMANDS = 300


def restore_ratio(ground: Ground, target: str, rounds: int) -> list[Figure]:
    """From the first answer to "stopped at the target, proven", against the same by hand, in turn."""
    ours, theirs, hand = [], [], ByHand(ground)
    for n in range(rounds):
        run = ground.ask(target)
        # Whoever comes second finds the files in memory, so each comes first in turn.
        if n % 2:
            theirs.append(hand.recover(run))
        ground.settle()
        ground.press(run, "Pause writers and restore")
        ground.rest(run, RunState.ASKING)
        ours.append(ground.seconds(run, (Kind.ANSWERED, "Pause"), (Kind.DONE, "prove where it stopped")))
        if n % 2 == 0:
            theirs.append(hand.recover(run))
        ground.give_up(run)
        ground.console.print(f"  Mayday {ours[-1]:.1f} s, by hand {theirs[-1]:.1f} s")
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    return [
        Figure("answer to 'stopped at the target, proven'", f"{median(ours):.1f} s", ""),
        Figure("copy and replay by hand, same settings", f"{median(theirs):.1f} s", ""),
        Figure("ratio, pair by pair", f"{ratio:.2f}", "at most 1.30", ratio <= 1.3),
    ]


def cut_over(ground: Ground) -> Figure:
    """Writers stopped to writers served, while the town is served until the cut-over."""
    run = ground.restore(ground.now())
    ground.rest(run, RunState.ASKING)
    ground.approve(run)
    ground.rest(run, RunState.RECOVERED)
    ground.remove_kept(run)
    took = ground.seconds(run, (Kind.BEGAN, "pause the writers for the cut-over"), (Kind.DONE, "resume the writers"))
    return Figure("cut-over: writers stopped to writers served", f"{took:.1f} s", "at most 20 s", took <= 20)


def plan_with(ground: Ground) -> Figure:
    """From the command's entry in the journal to the question with the plan."""
    took = []
    for _ in range(3):
        run = ground.ask("30s ago")
        told = company.open_store(ground.lab).entries(run)
        took.append(next(e.at for e in told if e.kind is Kind.ASKED).timestamp() - told[0].at.timestamp())
        ground.give_up(run, "Cancel")
    held = sum(1 for f in ground.lab.wal_archive.iterdir() if len(f.name) == 24)
    return Figure(f"plan, {held} archived segments", f"{median(took):.1f} s", "at most 3 s", median(took) <= 3)


def acknowledged(ground: Ground, target: str) -> Figure:
    """Slash commands acknowledged while a recovery runs, as the practice room sees it."""
    run = ground.restore(target)
    room = ground.room

    def command(n: int) -> float:
        time.sleep(n / _COMMANDS_A_SECOND)
        return float(room.say("/recover status", "oncall").get("acked_ms", 3000.0))

    with ThreadPoolExecutor(max_workers=_COMMANDS) as pool:
        took = list(pool.map(command, range(_COMMANDS)))
    ground.rest(run, RunState.ASKING)
    ground.give_up(run)
    p99 = percentile(took, 99)
    said = f"p50 {median(took):.0f} ms, p99 {p99:.0f} ms"
    return Figure(f"slash command acknowledged, {_COMMANDS_A_SECOND} a second", said, "p99 at most 100 ms", p99 <= 100)


def worker_memory(ground: Ground) -> Figure:
    """The highest resident memory of the worker so far."""
    status = Path(f"/proc/{processes.pid_of(ground.lab, 'worker')}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    return Figure("worker's memory, peak", f"{peak:.0f} MB", "below 150 MB", peak < 150)
