"""Finds a Docker Engine for the lab, and installs one where that is possible without a question."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from actions.engine.errors import RecoveryError

Say = Callable[[str], None]

_DAEMON_LOG = Path("/var/log/mayday-dockerd.log")
_PATIENCE_SECONDS = 60


def silent(_: str) -> None:
    """For callers that do not want to be told what is going on."""


def connect() -> docker.DockerClient:
    """A client of the daemon; an error for people when none answers."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as problem:
        raise RecoveryError(
            "No Docker Engine answers on this machine.",
            detail=str(problem),
            hint="Install Docker Engine (https://docs.docker.com/engine/install/), start it, "
            "and make sure that you may use it (group docker).",
        ) from problem
    return client


def ensure_docker(say: Say = silent) -> docker.DockerClient:
    """The running daemon; else, as root on Debian or Ubuntu, one that is installed and started now."""
    try:
        return connect()
    except RecoveryError as nothing_answers:
        if not can_install_packages() or "base_url" in kwargs_from_env():
            # A daemon elsewhere was named (DOCKER_HOST): one that is started here would not be that one.
            raise
        if shutil.which("dockerd") is None:
            say("Docker Engine is missing: installing docker.io with apt-get.")
            install_packages("docker.io")
        say("Starting the Docker daemon.")
        return _start_daemon(nothing_answers)


def can_install_packages() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(*names: str) -> None:
    """Installs Debian packages; only for root."""
    quietly = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    _checked([*quietly, "update"])
    _checked([*quietly, "install", "-y", "--no-install-recommends", *names])


def _checked(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RecoveryError(
            f"{' '.join(command)} failed.",
            detail=(done.stderr or done.stdout)[-800:],
            hint="Run it by hand, then start the lab again.",
        )


def _start_daemon(nothing_answers: RecoveryError) -> docker.DockerClient:
    with _DAEMON_LOG.open("ab") as log:
        # A session of its own: the daemon outlives the command that started it.
        subprocess.Popen(["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.5)
        try:
            return connect()
        except RecoveryError:
            continue
    raise RecoveryError(
        "The Docker daemon was started but does not answer.",
        detail=f"Its log is {_DAEMON_LOG}.",
        hint="Read the end of that log; containers inside containers need a privileged outer container.",
    ) from nothing_answers
