"""The lab's own processes beside the containers: the practice room, the bot, the worker.

A process counts as ours only if the process of the noted id was started with this lab's root: ids are
used again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from actions.engine.errors import RecoveryError
from lab.home import Lab

_STOP_SECONDS = 10.0


def start(lab: Lab, name: str, arguments: Sequence[str]) -> int:
    """Start `python -m …` unless it is alive; its output goes to `logs/NAME.log` below the lab's root."""
    if is_alive(lab, name):
        return pid_of(lab, name)
    logs = lab.root / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{name}.log").open("ab") as log:
        # -P: a folder of a module's name, where somebody happens to stand, is not that module.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _note(lab, name, process.pid)
    return process.pid


def stop(lab: Lab, name: str) -> None:
    """Ask it to leave, and make sure that it has left."""
    if is_alive(lab, name):
        _end(lab, name, signal.SIGTERM)
    _note(lab, name, 0)


def kill(lab: Lab, name: str) -> None:
    """End it as a power cut would, for exercises."""
    if not is_alive(lab, name):
        raise RecoveryError(f"The lab's {name} is not alive.", hint="mayday lab status")
    _end(lab, name, signal.SIGKILL)


def is_alive(lab: Lab, name: str) -> bool:
    """Whether the noted process lives and is ours."""
    pid = pid_of(lab, name)
    return bool(pid) and str(lab.root) in _command_line(pid)


def pid_of(lab: Lab, name: str) -> int:
    """The noted process id, 0 for none."""
    return int(lab.read_state().get("pids", {}).get(name, 0))


def log_tail(lab: Lab, name: str, lines: int = 12) -> str:
    """The end of its log, for errors."""
    path = lab.root / "logs" / f"{name}.log"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""


def _end(lab: Lab, name: str, how: signal.Signals) -> None:
    os.kill(pid_of(lab, name), how)
    deadline = time.monotonic() + _STOP_SECONDS
    while is_alive(lab, name):
        if time.monotonic() > deadline:
            os.kill(pid_of(lab, name), signal.SIGKILL)
            return
        time.sleep(0.1)


def _command_line(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _note(lab: Lab, name: str, pid: int) -> None:
    lab.write_state(pids=lab.read_state().get("pids", {}) | {name: pid})
