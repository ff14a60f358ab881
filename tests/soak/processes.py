"""Bots and workers of the company, begun anew whenever they end: what `restart: always` does in compose."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_LOOK_EVERY = 0.05
_BACKOFF = 0.2
_LEAVES_WITHIN = 150.0


@dataclass
class Part:
    """One process. `wanted` is whether it is begun anew; not before `not_before`."""

    name: str
    argv: tuple[str, ...]
    log: Path
    wanted: bool = False
    not_before: float = 0.0
    process: subprocess.Popen[bytes] | None = None
    begun: int = 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def begin(self) -> None:
        with self.log.open("ab") as log:
            argv = [sys.executable, "-P", "-m", *self.argv]
            # A session of its own: Ctrl-C is for whoever supervises, who then ends it in good order.
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.begun += 1

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


@dataclass
class Supervisor:
    """Keeps those that are wanted alive, in a thread of its own."""

    parts: Mapping[str, Part]
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def want(self, name: str) -> None:
        """Have it live from now on."""
        with self._lock:
            self.parts[name].wanted = True

    def kill(self, name: str, away: float) -> bool:
        """End it as a power cut would; it comes back after so many seconds. Whether it lived."""
        with self._lock:
            part = self.parts[name]
            alive = part.alive
            part.not_before = time.monotonic() + max(away, _BACKOFF)
            part.signal(signal.SIGKILL)
            return alive

    def suspend(self, name: str) -> int:
        """Let it do nothing, as a host does that swaps; the process that was stopped."""
        with self._lock:
            part = self.parts[name]
            part.signal(signal.SIGSTOP)
            return part.process.pid if part.alive and part.process is not None else 0

    def let_go_on(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            if pid:
                os.kill(pid, signal.SIGCONT)

    def leave(self, name: str, *, kill: bool = False) -> None:
        """It is not begun anew, and is told to leave, or ended."""
        with self._lock:
            self.parts[name].wanted = False
            self.parts[name].signal(signal.SIGCONT)
            self.parts[name].signal(signal.SIGKILL if kill else signal.SIGTERM)

    def gone(self, name: str) -> None:
        """Until it has left; a worker leaves at the end of its step."""
        end = time.monotonic() + _LEAVES_WITHIN
        part = self.parts[name]
        while part.alive and time.monotonic() < end:
            time.sleep(0.1)
        part.signal(signal.SIGKILL)
        if part.process is not None:
            part.process.wait(10)

    def close(self) -> None:
        """All of them leave; whoever does not within seconds is ended."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        for part in self.parts.values():
            self.leave(part.name)
        end = time.monotonic() + 10
        for part in self.parts.values():
            while part.alive and time.monotonic() < end:
                time.sleep(0.1)
            part.signal(signal.SIGKILL)
            if part.process is not None:
                part.process.wait(10)

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY):
            with self._lock:
                for part in self.parts.values():
                    if part.wanted and not part.alive and time.monotonic() >= part.not_before:
                        part.not_before = time.monotonic() + _BACKOFF
                        part.begin()
