"""Commands as other users of this machine run them: two numeric user ids that need no entry anywhere, and a pty."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyotp
import pytest

from tests.support.paths import ROOT

ANA, BO = 30_001, 30_002
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run commands as other users")


def environment() -> dict[str, str]:
    """What a login shell of somebody else has, and where Mayday is; nothing that says who they are."""
    where = (ROOT, sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"])
    docker = {name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ}
    return {
        **docker,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": ":".join(map(str, dict.fromkeys(where))),
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "120",
    }


@cache
def python() -> str:
    """An interpreter of this version that everybody may run; ours may lie in root's own home."""
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for found in (sys.executable, f"/usr/bin/python{ours}", f"/usr/local/bin/python{ours}"):
        try:
            said = subprocess.run(
                [found, "-c", "import redis, typer, sys; print('%d.%d' % sys.version_info[:2])"],
                user=ANA,
                group=ANA,
                extra_groups=[],
                capture_output=True,
                text=True,
                check=False,
                env=environment(),
                cwd="/",
            )
        except OSError:
            continue
        if said.stdout.strip() == ours:
            return found
    pytest.skip("no interpreter of this version that other users may run")


def run_as(uid: int, *command: str, stdin: str = "", seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run `python …` as that user and wait for it."""
    return subprocess.run(
        [python(), *command],
        user=uid,
        group=uid,
        extra_groups=[],
        input=stdin,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        cwd="/",
    )


def enrol_as(uid: int, *command: str) -> str:
    """Enrol with `python COMMAND` as that user, who reads the secret before typing the code; the secret."""
    with subprocess.Popen(
        [python(), *command],
        user=uid,
        group=uid,
        extra_groups=[],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd="/",
    ) as enrolling:
        assert enrolling.stdin
        assert enrolling.stdout
        secret = next(line for line in enrolling.stdout if line.startswith("secret: ")).removeprefix("secret: ").strip()
        enrolling.stdin.write(pyotp.TOTP(secret).now() + "\n")
        enrolling.stdin.close()
        enrolling.stdout.read()
    assert enrolling.returncode == 0
    return secret


def next_code(secret: str) -> str:
    """The code of the next step: the present one was used to enrol, and the next is right already."""
    return pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=1)


@contextmanager
def shared_folder(name: str) -> Iterator[Path]:
    """A folder that other users reach; the test's own tmp_path is root's alone."""
    with tempfile.TemporaryDirectory(prefix=f"mayday-{name}-") as made:
        folder = Path(made)
        folder.chmod(0o777)
        yield folder


def share_store(folder: Path) -> None:
    """Let everybody write the store: SQLite's own files take the mode of the database."""
    for file in folder.glob("mayday.db*"):
        file.chmod(0o666)


def operators(keys: Path, **more: Any) -> str:
    """The settings of the two: Ana asks and is somebody in Slack too, Bo approves and is not."""
    extra = "".join(f"{name} = {value}\n" for name, value in more.items())
    return f"""
[operators]
keys = "{keys}"
{extra}
[[operators.people]]
id = "ana"
name = "Ana"
os_users = ["{ANA}"]
slack = "U0ONCALL"

[[operators.people]]
id = "bo"
name = "Bo"
os_users = ["{BO}"]
may_ask = false
may_approve = true
"""


class Screen:
    """A command in a terminal of its own, and somebody who reads and types."""

    def __init__(self, command: list[str], **more: Any) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(),
            start_new_session=True,
            # Who runs the tests in the background has Ctrl-C ignored, and its children after it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **more,
        )
        os.close(theirs)
        self.seen = ""

    def until(self, text: str, seconds: float = 30) -> str:
        """Read until that stands on the screen; everything since the last time."""
        end, before = time.monotonic() + seconds, len(self.seen)
        while text not in self.seen[before:]:
            left = end - time.monotonic()
            assert left > 0, f"'{text}' did not appear:\n{self.seen}"
            if not self._read(min(left, 0.5)):
                assert text in self.seen[before:], f"it ended without '{text}':\n{self.seen}"
        return self.seen[before:]

    def type(self, line: str) -> None:
        os.write(self._ours, line.encode() + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl-C; once more where the first came in the moment before the prompt began to wait for input."""
        for _ in range(2):
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
                return

    def ends(self, seconds: float = 30) -> int:
        """Wait for its end; the exit code."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self._read(0.1)
        assert self.process.poll() is not None, f"it did not end in {seconds:g} s:\n{self.seen}"
        while self._read(0.05):
            pass
        os.close(self._ours)
        return self.process.wait(1)

    def close(self) -> None:
        """End it, if a test failed before it did."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], seconds)
        if not ready:
            return self.process.poll() is None
        try:
            said = os.read(self._ours, 65536)
        except OSError:  # The other side has closed it.
            return False
        self.seen += said.decode(errors="replace").replace("\r\n", "\n")
        return bool(said)
