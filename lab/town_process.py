"""The town as a process of its own: started, found again and stopped by what the lab noted about it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab.home import Lab

_STOP_WITHIN_SECONDS = 10


def start(lab: Lab, *, per_second: float = 8) -> int:
    """Starts the writers unless they are there already; they outlive the command that started them."""
    if is_alive(lab):
        return _pid(lab)
    command = [sys.executable, "-P", "-m", "lab.town", "--root", str(lab.root), "--per-second", str(per_second)]
    with (lab.root / "town.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    _note_pid(lab, process.pid)
    return process.pid


def stop(lab: Lab) -> None:
    """Asks the writers to finish what they are writing, and waits until they are gone."""
    if is_alive(lab):
        os.kill(_pid(lab), signal.SIGTERM)
        _await_end(lab)
    if lab.state_file.exists():
        _note_pid(lab, 0)


def is_alive(lab: Lab) -> bool:
    """A process of the noted id counts only if it is a town of this very lab: ids are used again."""
    pid = _pid(lab)
    if not pid:
        return False
    seen = _command_line(pid)
    return "lab.town" in seen and str(lab.root) in seen


def _command_line(pid: int) -> str:
    """How a process was started; nothing when there is none, or when it has ended and waits for its parent."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    asked = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def _await_end(lab: Lab) -> None:
    deadline = time.monotonic() + _STOP_WITHIN_SECONDS
    while is_alive(lab):
        if time.monotonic() > deadline:
            os.kill(_pid(lab), signal.SIGKILL)
            return
        time.sleep(0.2)


def _pid(lab: Lab) -> int:
    return int(lab.read_state().get("pids", {}).get("town", 0))


def _note_pid(lab: Lab, pid: int) -> None:
    lab.write_state(pids=lab.read_state().get("pids", {}) | {"town": pid})
