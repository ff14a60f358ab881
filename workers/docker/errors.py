"""What Docker's failures are called here: each says what was being done, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3
from docker.errors import APIError, DockerException

from actions.engine.errors import Away, RecoveryError
from actions.redact import excerpt

_SILENT = "See that the Docker daemon runs (`docker info`), then retry."
_SHUT_OUT = "This user may not use Docker's socket: join its group (with Compose: DOCKER_GID in .env), then retry."
_HANGS = (
    "Docker hangs. See on its host whether `docker info` answers, and why not: `journalctl -u docker`. Restart "
    "it if need be (without live-restore its containers stop too), then retry."
)
_BETWEEN = "is restarting, wait until the container is running"
# What Docker says where the container in which something is run was stopped or removed meanwhile.
_WENT = re.compile(r"No such (?:exec instance|container)|exec in a stopped container|container .*is not running", re.I)
_TIMES_OUT = (requests.Timeout, TimeoutError, urllib3.exceptions.TimeoutError)


class Hanging(Away):
    """Docker is there and does not answer: nothing that is asked of it next will be answered either."""


class TakenDown(Away):
    """A container went down under what was asked of it; `crashing` where it is started again and again."""

    def __init__(
        self, message: str, *, crashing: bool = False, code: str = "", detail: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, code=code, detail=detail, hint=hint)
        self.crashing = crashing


@contextmanager
def speaking(doing: str, within: str = "") -> Iterator[None]:
    """Turns every way in which Docker fails into an error that says what was being done.

    `within` is the container in which something is run. That it went is no failure of what was run: whoever asks again
    finds it made anew, or that the one of the plan is gone.
    """
    try:
        yield
    except APIError as problem:
        said = excerpt(str(problem.explanation or problem))
        if _BETWEEN in said:
            raise TakenDown(
                f"The container was being started again while {doing}.",
                code="MD-DK-008",
                crashing=True,
                detail=said,
                hint="One that is started again and again says why in its log.",
            ) from problem
        if within and _WENT.search(said):
            raise TakenDown(
                f"The container was taken down while {doing}.",
                code="MD-DK-009",
                detail=said,
                hint="See who stops or removes containers there, then retry.",
            ) from problem
        raise RecoveryError(
            f"Docker refused while {doing}.",
            code="MD-DK-010",
            detail=said,
            hint="Read the refusal above; when its cause is mended, retry.",
        ) from problem
    except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as problem:
        if any(isinstance(one, _TIMES_OUT) for one in (problem, problem.__cause__)):
            raise Hanging(
                f"Docker did not answer while {doing}.", code="MD-DK-011", detail=excerpt(str(problem)), hint=_HANGS
            ) from problem
        hint = _SHUT_OUT if "Permission denied" in str(problem) else _SILENT
        raise Away(
            f"Docker did not answer while {doing}.", code="MD-DK-012", detail=excerpt(str(problem)), hint=hint
        ) from problem
