"""Pausing those who write, and letting them write again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actions.engine.errors import RecoveryError
from actions.engine.procedure import Answer
from actions.steps.postgres.look_at_server import Writer, Writers
from actions.tools.docker import Docker
from actions.tools.polling import Polling
from actions.tools.progress import Progress

PAUSE_AND_RESTORE = "Pause writers and restore"
KEEP_SERVING = "Restore, keep serving"

_SERVE_SECONDS = 45.0


def go_on_until_cut_over(mode: Answer) -> str:
    """Why nobody is paused before the restore; empty where that was chosen."""
    return "" if mode.option == PAUSE_AND_RESTORE else "left out: nobody is paused before the cut-over"


def pause(writers: Writers, docker: Docker) -> None:
    """Pause every writer that runs."""
    for writer in writers.all:
        if _state(writer, docker) == "running":
            docker.pause(writer.name, writer.container)


def paused(writers: Writers, docker: Docker) -> bool:
    """Whether no writer runs."""
    return all(_state(writer, docker) not in ("running", "restarting") for writer in writers.all)


def resume(writers: Writers, docker: Docker, polling: Polling, progress: Progress) -> None:
    """Let the writers write again; restart those whose connections did not survive."""
    progress(0, len(writers.all), "letting them go on")
    # All go on before any is waited for: one that does not come back must not keep the others paused.
    _each(writers, partial(_goes_on, docker=docker))
    for n, writer in enumerate(writers.all):
        progress(n, len(writers.all), f"waiting for {writer.name} to serve")
        _see_serving(writer, docker, polling)


def let_go_on(writers: Writers, docker: Docker, polling: Polling) -> None:
    """Take a pause back: whoever ran before goes on, and is started again where its connections were lost.

    Nobody is waited for, and whoever was stopped before stays so: the old server may be as broken as it was.
    """

    def unpaused(writer: Writer) -> None:
        if writer.state != "paused" and _state(writer, docker) == "paused":
            docker.unpause(writer.name, writer.container)

    def connected(writer: Writer) -> None:
        if writer.state == "running" and not polling.until(partial(_serves, writer, docker), seconds=2.0):
            docker.restart(writer.name, writer.container)

    _each(writers, unpaused)
    _each(writers, connected)


def _goes_on(writer: Writer, docker: Docker) -> None:
    state = _state(writer, docker)
    if state == "paused":
        docker.unpause(writer.name, writer.container)
    elif state in ("exited", "created"):
        docker.start(writer.name, writer.container)


def _each(writers: Writers, act: Callable[[Writer], None]) -> None:
    """Do it to every one of them, and only then say what went wrong first.

    Docker may hang over a single container, for example one that was paused while a health check began in it.
    """
    trouble: RecoveryError | None = None
    for writer in writers.all:
        try:
            act(writer)
        except RecoveryError as problem:
            trouble = trouble or problem
    if trouble is not None:
        raise trouble


def _serves(writer: Writer, docker: Docker) -> bool:
    return docker.serves(writer.name, writer.container)


def _see_serving(writer: Writer, docker: Docker, polling: Polling) -> None:
    def serves() -> bool:
        return docker.serves(writer.name, writer.container)

    if polling.until(serves, seconds=2.0):
        return
    docker.restart(writer.name, writer.container)
    if not polling.until(serves, seconds=_SERVE_SECONDS, every=0.5):
        raise RecoveryError(
            f"{writer.name} does not serve.",
            code="MD-RUN-025",
            detail=docker.logs(writer.name, 15),
            hint=f"Look at `docker logs {writer.name}`; the database is up. Retry when it is mended.",
        )


def serving(writers: Writers, docker: Docker) -> bool:
    """Whether every writer serves."""
    return all(docker.serves(writer.name, writer.container) for writer in writers.all)


def _state(writer: Writer, docker: Docker) -> str:
    container = docker.find(writer.name)
    return container.state if container else "missing"
