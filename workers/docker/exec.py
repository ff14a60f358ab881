"""Commands inside of a container: bounded in time, streamed, ended for sure, believed only when they have ended.

Docker has no way to end an exec, and a lost connection looks like the end of the output. So every command
carries a mark in its environment by which it and its children are found and ended, and its output counts
only once Docker says that it has exited.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from docker.errors import NotFound

from actions.engine.errors import Away, RecoveryError
from actions.redact import excerpt
from workers.docker.command_watch import TimeIsOver
from workers.docker.described import runs
from workers.docker.errors import Hanging, TakenDown, speaking
from workers.docker.stream import STDERR, printed

log = structlog.get_logger("mayday.inside")

MARK = "MAYDAY_EXEC"
TIME_IS_OVER = (124, 137, 143)

_KILLED = (137, 143)
_AT_ITS_LIMIT = 124
# How Docker ends a command that runc could not start, as in a container that ends just then: daemon/exec.go of Moby.
_NEVER_BEGAN = (126, 128)
_KEPT_OF_STDERR = 8000
_END_SECONDS = 15
_NOTICED_SECONDS = 2.0
# Debian's /usr/bin/psql and its kin are Perl scripts that first find out which version is meant (pg_wrapper(1) of
# postgresql-common). The image says it in PG_MAJOR; the programs themselves need half of the time.
WITH_ITS_PROGRAMS = 'PATH="${PG_MAJOR:+/usr/lib/postgresql/$PG_MAJOR/bin:}$PATH"; exec "$@"'
_END = r"""
for signal in TERM KILL; do
    for p in /proc/[0-9]*; do
        { tr '\0' '\n' <"$p/environ" | grep -qxF "$1" && kill -s $signal "${p#/proc/}"; } 2>/dev/null
    done
done
exit 0
"""


@dataclass(frozen=True)
class CommandResult:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    def said(self) -> str:
        """What is worth showing to a person."""
        return excerpt(self.err or self.out)


class Command:
    """One command that runs in a container. `code` is None until it has ended."""

    def __init__(self, inside: Inside, argv: Sequence[str], seconds: float, env: Mapping[str, str], mark: str) -> None:
        self._inside, self._mark, self._seconds = inside, mark or uuid.uuid4().hex, seconds
        self.code: int | None = None
        self.err = ""
        # Bounded within the container as well, so that the command of a worker that died ends by itself.
        self._bounded = shell(WITH_ITS_PROGRAMS, "timeout", "-k", "5", str(math.ceil(seconds)), *argv)
        self._program = argv[0]
        self._env = {**env, MARK: self._mark}
        self._began = time.monotonic()

    def lines(self, separator: bytes = b"\n") -> Generator[str, None, None]:
        """Its standard output, record by record; leaving early ends the command."""
        rest, chunks = b"", self._chunks()
        first: BaseException | None = None
        try:
            for chunk in chunks:
                *whole, rest = (rest + chunk).split(separator)
                yield from (line.decode(errors="replace") for line in whole)
            if rest:
                yield rest.decode(errors="replace")
        except (RecoveryError, GeneratorExit) as trouble:
            first = trouble
            raise
        finally:
            # First the connection, then the process: Docker stands still while nobody reads what it sends.
            chunks.close()
            if self.code is None or self.over:
                self._end(first)

    def _end(self, first: BaseException | None) -> None:
        """End it as far as that can be done; whoever left, or met trouble, is not told of another trouble instead."""
        # A Docker that hangs ends nothing: the command ends at its own limit, or with the helper on the next try.
        if isinstance(first, Hanging):
            return
        try:
            self._inside.end(self._mark)
        except RecoveryError as second:
            if first is None:
                raise
            log.warning("the command was left to its own limit", error=second.said, detail=second.detail)

    @property
    def over(self) -> bool:
        """Whether it was ended because its time was over."""
        # The kernel and a daemon that restarts kill with the same codes, so the clock has to agree.
        return self.code in TIME_IS_OVER and time.monotonic() - self._began >= self._seconds

    def _chunks(self) -> Generator[bytes, None, None]:
        with speaking(f"running {self._program}", self._inside.container):
            api, id = self._inside.api, self._inside.begin(self._bounded, self._env)
            try:
                with closing(printed(api, id, self._seconds)) as frames:
                    for kind, part in frames:
                        if kind == STDERR:
                            self.err = (self.err + part.decode(errors="replace"))[-_KEPT_OF_STDERR:]
                        else:
                            yield part
            except TimeIsOver:
                self.code = _AT_ITS_LIMIT  # Something that it left behind, or that cannot be killed, holds the output.
                return
            self.code = _exit_code(api, id)
            if self.code in _KILLED + _NEVER_BEGAN:
                self._inside.must_stand(self._program, self._began)


def _exit_code(api: Any, id: str) -> int:
    # The output may end an instant before Docker knows that the process has.
    code = wait_for_exit(api, id, 2)
    if code is None:
        raise Away(
            "The connection to Docker broke while a command was running.",
            code="MD-DK-013",
            detail="Its output ended, but the command has not.",
            hint="See that the Docker daemon runs, then retry.",
        )
    return code


def wait_for_exit(api: Any, id: str, seconds: float) -> int | None:
    """The exit code of an exec, once it has one; None where it still runs after so long."""
    deadline, pause = time.monotonic() + seconds, 0.005
    while True:
        seen = api.exec_inspect(id)
        if not seen["Running"] and seen["ExitCode"] is not None:
            return int(seen["ExitCode"])
        if time.monotonic() > deadline:
            return None
        time.sleep(pause)
        pause = min(pause * 2, 0.2)


class Inside:
    """One container to run commands in, as one user of it (empty: the container's own)."""

    def __init__(self, api: Any, container: str, user: str = "") -> None:
        self.api = api
        self.container = container
        self.user = user

    def begin(self, argv: Sequence[str], env: Mapping[str, str], *, stdin: bool = False) -> str:
        """Prepare a command; returns Docker's id of it."""
        made = self.api.exec_create(self.container, list(argv), user=self.user, environment=dict(env), stdin=stdin)
        return str(made["Id"])

    def command(
        self, argv: Sequence[str], *, seconds: float, env: Mapping[str, str] | None = None, mark: str = ""
    ) -> Command:
        """A command that starts when its lines are read."""
        return Command(self, argv, seconds, env or {}, mark)

    def run(self, argv: Sequence[str], *, seconds: float = 60, env: Mapping[str, str] | None = None) -> CommandResult:
        """Run a command to its end, whatever its exit code."""
        command = self.command(argv, seconds=seconds, env=env)
        out = "\n".join(command.lines())
        if command.over:
            raise RecoveryError(
                f"{argv[0]} took longer than {seconds:.0f} s.",
                code="MD-DK-014",
                detail=excerpt(command.err),
                hint="The disk may be slow or the machine busy; retry when it is calmer.",
            )
        assert command.code is not None
        return CommandResult(command.code, out, command.err)

    def script(
        self, text: str, *parameters: str, seconds: float = 60, env: Mapping[str, str] | None = None
    ) -> CommandResult:
        """Run a constant script; everything that varies comes to it as a parameter."""
        return self.run(shell(text, *parameters), seconds=seconds, env=env)

    def must_stand(self, doing: str, began: float) -> None:
        """Refuse to believe in a command's own end where its container ended since it began (`time.monotonic`).

        Raises:
            TakenDown: the whole container was taken down under it, as a crash or a restarting daemon does.
        """
        ends = time.monotonic() + _NOTICED_SECONDS
        while runs(state := self._state()) and time.monotonic() < ends:
            time.sleep(0.1)  # The command's end is known an instant before the container's.
        ran = time.monotonic() - began  # Before the age is asked for, which a busy daemon takes time to tell.
        if runs(state) and _age(state, self.api.info()) > ran:
            return
        raise TakenDown(
            f"The container in which {doing} ran was taken down.",
            code="MD-DK-015",
            crashing=bool(state.get("Restarting")),
            detail=f"It is {state['Status']}.",
            hint="See that the Docker daemon runs (`docker info`), then retry.",
        )

    def _state(self) -> dict[str, Any]:
        try:
            return dict(self.api.inspect_container(self.container)["State"])
        except NotFound:
            return {"Running": False, "Status": "gone"}

    def end(self, mark: str) -> None:
        """End every process that carries this mark; it takes seconds, also where they cannot be ended."""
        with speaking("ending a command", self.container):
            id = self.begin(["sh", "-c", _END, "mayday", f"{MARK}={mark}"], {})
            self.api.exec_start(id, detach=True)
            wait_for_exit(self.api, id, _END_SECONDS)


def _age(state: Mapping[str, Any], info: Mapping[str, Any]) -> float:
    """For how many seconds a container has been running, by the clock of its Docker daemon alone."""
    # Docker prints nanoseconds: https://docs.docker.com/reference/api/engine/ (SystemTime, State.StartedAt)
    now, started = (datetime.fromisoformat(at) for at in (info["SystemTime"], state["StartedAt"]))
    return (now - started).total_seconds()


def shell(text: str, *parameters: str) -> list[str]:
    """A constant script as an argument list."""
    return ["sh", "-c", text, "mayday", *parameters]
