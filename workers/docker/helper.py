"""The helper container: where folders of the Docker host are read and moved, with the tools of a container's image."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from docker.errors import ImageNotFound, NotFound
from docker.types import Mount

from actions.engine.errors import RecoveryError
from actions.tools.folders import DataFolder
from actions.tools.names import Names
from workers.docker.confirmations import confirm_host
from workers.docker.daemon import host_of, remove
from workers.docker.errors import speaking
from workers.docker.exec import CommandResult, Inside

HOME = "/mayday/home"
"""Where the helper sees the folder in which the data folder lies."""

_VOLUMES = "/mayday/volumes"

LOOKS = "doctor-"
"""Begins the names of those that look around and carry no run out."""
_FORGOTTEN_SECONDS = 600

_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL")
"""Of root's, those for files of any owner, and to end commands of its own; the rest it goes without."""

_IO_WEIGHT = 100
"""A fifth of the disk that any other container gets, where the disk's scheduler knows of weights: it copies and checks
beside a live server."""

_NOT_THERE = re.compile(r"bind source path does not exist: (?P<path>.*)")


@dataclass(frozen=True)
class Place:
    """A folder of the Docker host, and where the helper sees it.

    Of a volume that has to be mounted as one it is seen by a link; without `links` it is left out there.
    """

    source: str
    target: str
    read_only: bool = False
    links: bool = True


class Helper:
    """A container of the data's image without a network, started when first needed, reused until it is closed.

    `own` tells it from the run's other helpers.
    """

    def __init__(self, client: Any, names: Names, own: str = "") -> None:
        self.client = client
        self._names = names
        self._name = f"{names.helper}-{own}" if own else names.helper
        self._container = ""
        self._host = ""
        self._image = ""
        self._spaces: frozenset[Place] = frozenset()
        self._seen: tuple[Place, ...] = ()
        self._turn = threading.Lock()

    def inside(self, data: DataFolder, places: Sequence[Place] = (), spaces: Iterable[Place] = ()) -> Inside:
        """Where to run commands; starts the helper, also where the daemon took it down meanwhile.

        Besides the folder of the data it sees `places`, and all `spaces` of which it has ever heard. It is started
        again where these are others than when it was.
        """
        added, wanted = frozenset(spaces), (Place(data.home.parent, HOME), *places)
        # Items of a loop come in several threads: the second must not remove the helper that the first has started.
        with self._turn:
            if wanted != self._seen or not added <= self._spaces or not self._alive():
                self._confirm(data)
                self._spaces |= added
                self._remove()
                self._container, self._seen, self._image = self._start(data, wanted), wanted, data.image_id
        return Inside(self.client.api, self._container, "0:0")

    def as_it_is(self, data: DataFolder) -> Inside | None:
        """The same without starting anything: None where it does not run, or does not see that data."""
        with self._turn:
            sees = Place(data.home.parent, HOME) in self._seen and self._image == data.image_id
            if not sees or not self._alive():
                return None
            self._confirm(data)
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

    def _confirm(self, data: DataFolder) -> None:
        self._host = self._host or host_of(self.client)
        confirm_host(self._host, data.host)

    def _alive(self) -> bool:
        if not self._container:
            return False
        with speaking("looking at the helper container"):
            try:
                return bool(self.client.api.inspect_container(self._container)["State"]["Running"])
            except NotFound:
                return False

    def _remove(self) -> None:
        remove(self.client, self._name, "the helper container")

    def _start(self, data: DataFolder, wanted: Sequence[Place]) -> str:
        mounted = [_Mounted(data, place) for place in wanted]
        kept = [one for one in mounted if one.place.links or not one.link]
        own = {one.mount["Target"]: one.mount for one in kept}.values()
        spaces = (_bind(one.source, one.target) for one in sorted(self._spaces, key=lambda one: one.source))
        made = self._made(data, [*own, *spaces])
        for one in kept:
            if one.link:
                done = Inside(self.client.api, made, "0:0").run(["ln", "-s", one.link, one.place.target])
                checked(done, "preparing the helper container")
        return made

    def _made(self, data: DataFolder, mounts: list[Mount]) -> str:
        while True:
            try:
                with speaking("starting the helper container"):
                    return self._run(data, mounts)
            except RecoveryError as refused:
                mounts = _without_missing(mounts, refused)

    def network(self, data: DataFolder) -> dict[str, Any]:
        """The options of its network: it has none."""
        return {"network_mode": "none"}

    def _run(self, data: DataFolder, mounts: list[Mount]) -> str:
        try:
            image = self.client.api.inspect_image(data.image_id)
            made = self.client.containers.create(
                data.image_id,
                command=["-f", "/dev/null"],
                entrypoint=["tail"],
                name=self._name,
                user="0:0",
                **self.network(data),
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
                f"The image of {data.service} is no longer on this Docker host.",
                code="MD-DK-016",
                detail=f"{data.image} was {data.image_id[:19]}.",
                hint="Pull that very image again; another build may hold another PostgreSQL.",
            ) from problem
        made.start()
        return str(made.id)


class _Mounted:
    """How one folder comes into the helper: by a mount of its own, or by a link into its volume.

    A volume that Docker mounts only while it is used has to be mounted as one: its folder on the host may be empty.
    """

    def __init__(self, data: DataFolder, place: Place) -> None:
        self.place, self.link = place, ""
        self.mount = _bind(place.source, place.target, read_only=place.read_only)
        for number, (mountpoint, volume) in enumerate(data.volumes):
            if PurePosixPath(place.source).is_relative_to(mountpoint):
                self.mount = Mount(f"{_VOLUMES}/{number}", volume, type="volume", no_copy=True)
                self.link = str(
                    PurePosixPath(_VOLUMES, str(number)) / PurePosixPath(place.source).relative_to(mountpoint)
                )


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
