"""The helper container: where files of the Docker host are read and moved, with the server's own tools."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from pathlib import PurePosixPath
from typing import Any

from docker.errors import ImageNotFound, NotFound
from docker.types import Mount

from actions.engine.errors import RecoveryError
from actions.postgres.server import Names, Server
from actions.postgres.tablespaces import Tablespace
from workers.docker.confirmations import confirm_host
from workers.docker.daemon import host_of, remove
from workers.docker.errors import speaking
from workers.docker.exec import CommandResult, Inside

HOME, ARCHIVE, BASES, WAL = "/mayday/home", "/mayday/archive", "/mayday/bases", "/mayday/wal"
_VOLUMES = "/mayday/volumes"
_TABLESPACES = "/mayday/tablespaces"

LOOKS = "doctor-"
"""Begins the names of those that look around and carry no run out."""
_FORGOTTEN_SECONDS = 600

_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL")
"""Of root's, those for files of any owner, and to end commands of its own; the rest it goes without."""

_IO_WEIGHT = 100
"""A fifth of the disk that any other container gets, where the disk's scheduler knows of weights: it copies and checks
beside a live server."""

_NOT_THERE = re.compile(r"bind source path does not exist: (?P<path>.*)")


class Helper:
    """A container of the server's image without a network, started when first needed, reused until it is closed."""

    def __init__(self, client: Any, names: Names) -> None:
        self.client = client
        self._names = names
        self._container = ""
        self._host = ""
        self._spaces: frozenset[tuple[str, str]] = frozenset()
        self._seen: tuple[str, ...] = ()
        self._turn = threading.Lock()

    def inside(self, server: Server) -> Inside:
        """Where to run commands; starts the helper, also where the daemon took it down meanwhile.

        It is started again where a server has tablespaces that were not known when it was, or lies elsewhere.
        """
        spaces = frozenset((space.parent, location_of(space)) for space in server.tablespaces if space.parent)
        wanted = (server.home.parent, server.archive, server.bases, server.wal)
        # Items of a loop come in several threads: the second must not remove the helper that the first has started.
        with self._turn:
            if wanted != self._seen or not spaces <= self._spaces or not self._alive():
                self._confirm(server)
                self._spaces |= spaces
                self._remove()
                self._container, self._seen = self._start(server), wanted
        return Inside(self.client.api, self._container, "0:0")

    def fresh(self) -> None:
        """Remove what an earlier worker of this run left, with every command that still runs in it."""
        self._container = ""
        self._remove()
        if self._names.run.startswith(LOOKS):
            self._remove_forgotten()

    def _remove_forgotten(self) -> None:
        """Remove the helpers of doctors that were killed: nobody comes back to their names."""
        with speaking("looking for helpers that were left behind"):
            found = self.client.api.containers(all=True, filters={"label": "mayday.role=helper"})
        for one in found:
            old = time.time() - one["Created"] > _FORGOTTEN_SECONDS
            if old and str(one["Labels"].get("mayday.run")).startswith(LOOKS):
                remove(self.client, one["Id"], "a helper that was left behind")

    def close(self) -> None:
        """Remove the helper."""
        self.fresh()

    def _confirm(self, server: Server) -> None:
        self._host = self._host or host_of(self.client)
        confirm_host(self._host, server)

    def _alive(self) -> bool:
        if not self._container:
            return False
        with speaking("looking at the helper container"):
            try:
                return bool(self.client.api.inspect_container(self._container)["State"]["Running"])
            except NotFound:
                return False

    def _remove(self) -> None:
        remove(self.client, self._names.helper, "the helper container")

    def _start(self, server: Server) -> str:
        wanted = [(server.home.parent, HOME, False), (server.archive, ARCHIVE, True), (server.bases, BASES, False)]
        wal = [(server.wal, WAL, True)] if server.wal else []
        places = [_Place(server, *one) for one in (*wanted, *wal)]
        own = {place.mount["Target"]: place.mount for place in places}.values()
        spaces = (_bind(parent, location) for parent, location in sorted(self._spaces))
        # Where links of tablespaces in base backups lead that were taken in the server's container.
        led = _Place(server, server.bases, server.inside_bases, True)
        made = self._made(server, [*own, *([] if led.link else [led.mount]), *spaces])
        for place in places:
            if place.link:
                done = Inside(self.client.api, made, "0:0").run(["ln", "-s", place.link, place.target])
                checked(done, "preparing the helper container")
        return made

    def _made(self, server: Server, mounts: list[Mount]) -> str:
        while True:
            try:
                with speaking("starting the helper container"):
                    return self._run(server, mounts)
            except RecoveryError as refused:
                mounts = _without_missing(mounts, refused)

    def _run(self, server: Server, mounts: list[Mount]) -> str:
        try:
            image = self.client.api.inspect_image(server.image_id)
            made = self.client.containers.create(
                server.image_id,
                command=["-f", "/dev/null"],
                entrypoint=["tail"],
                name=self._names.helper,
                user="0:0",
                network_mode="none",
                mounts=mounts,
                labels={"mayday.run": self._names.run, "mayday.role": "helper"},
                tmpfs={"/tmp": "", **empty_volumes(image, (HOME,))},
                userns_mode="host",
                cap_drop=["ALL"],
                cap_add=list(_CAPABILITIES),
                blkio_weight=_IO_WEIGHT,
                security_opt=["label=disable", "no-new-privileges"],
                healthcheck={"test": ["NONE"]},
                stop_signal="SIGKILL",
                working_dir="/",
            )
        except ImageNotFound as problem:
            raise RecoveryError(
                "The server's image is no longer on this Docker host.",
                code="MD-DK-016",
                detail=f"{server.image} was {server.image_id[:19]}.",
                hint="Pull that very image again; another build may hold another PostgreSQL.",
            ) from problem
        made.start()
        return str(made.id)


def location_of(space: Tablespace) -> str:
    """The location of a tablespace, as the helper sees it; without nesting where the server's locations are nested."""
    return f"{_TABLESPACES}/{hashlib.sha256(space.location.encode()).hexdigest()[:12]}"


class _Place:
    """How one folder comes into the helper: by a mount of its own, or by a link into its volume.

    A volume that Docker mounts only while it is used has to be mounted as one: its folder on the host may be empty.
    """

    def __init__(self, server: Server, source: str, target: str, read_only: bool) -> None:
        self.target, self.link = target, ""
        self.mount = _bind(source, target, read_only=read_only)
        for number, (mountpoint, volume) in enumerate(server.volumes):
            if PurePosixPath(source).is_relative_to(mountpoint):
                self.mount = Mount(f"{_VOLUMES}/{number}", volume, type="volume", no_copy=True)
                self.link = str(PurePosixPath(_VOLUMES, str(number)) / PurePosixPath(source).relative_to(mountpoint))


def _bind(source: str, target: str, *, read_only: bool = False) -> Mount:
    # As a mount, not a volume string: Docker would silently make an empty folder of a missing one.
    return Mount(target, source, type="bind", read_only=read_only)


def empty_volumes(image: Any, taken: tuple[str, ...]) -> dict[str, str]:
    """Memory in place of the image's declared volumes, so that no anonymous volume is left behind."""
    return {path: "size=1m" for path in (image["Config"].get("Volumes") or {}) if path not in taken}


def _without_missing(mounts: list[Mount], refused: RecoveryError) -> list[Mount]:
    """Go on without an archive, bases or location where the folder is missing: what needs them will say so."""
    found = _NOT_THERE.search(refused.detail)
    kept = [mount for mount in mounts if found and mount["Source"] != found["path"].strip('" ')]
    if not found or len(kept) == len(mounts):
        raise refused
    if not any(mount["Target"] == HOME or mount["Target"].startswith(_VOLUMES) for mount in kept):
        raise RecoveryError(
            "The folder of the data directory is missing on the Docker host.",
            code="MD-DK-017",
            detail=found["path"],
            hint="See that the disk is mounted there, then ask again.",
        ) from refused
    return kept


def checked(done: CommandResult, doing: str, hint: str = "Read what was printed, mend it, then retry.") -> str:
    """The output of a command that must have succeeded; a full disk is said to be one."""
    if done.code == 0:
        return done.out
    if "No space left on device" in done.err + done.out or "Disk quota exceeded" in done.err + done.out:
        raise RecoveryError(
            f"The disk is full while {doing}.",
            code="MD-DK-018",
            detail=done.said(),
            hint="Make room on that disk, then retry. The live data was not touched.",
        )
    raise RecoveryError(
        f"It failed while {doing}.", code="MD-DK-019", detail=done.said() or f"exit code {done.code}", hint=hint
    )
