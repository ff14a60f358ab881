"""The tablespaces of a recovery: every location that the base backup or the live server knows, found in the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from actions.engine.errors import Refused
from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace, made_in, merged
from actions.postgres.waldump import lsn_of_line
from actions.steps.postgres.data_place import placed
from actions.steps.postgres.look_at_server import must_find
from actions.steps.postgres.target import Aim, Base
from actions.tools.docker import Container, Docker
from actions.tools.names import Names
from actions.tools.postgres_files import PostgresFiles

_SEARCHED = 8
"""Segments of WAL that are searched for a plan; each takes up to a tenth of a second."""
_MOUNT_IT = "Mount that folder from the Docker host (docker run -v …, or a volume), then ask again."


@dataclass(frozen=True)
class Tablespaces:
    """The locations that are restored and swapped together with the data directory, in the order of their paths."""

    all: tuple[Tablespace, ...]

    def on(self, server: Server) -> Server:
        """The server with the tablespaces that this recovery is about, which it may not have now."""
        return replace(server, tablespaces=self.all)

    def says(self) -> str:
        """The locations."""
        return ", ".join(space.location for space in self.all) or "none"


def find_tablespaces(aim: Aim, server: Server, base: Base, docker: Docker, files: PostgresFiles) -> Tablespaces:
    """Everywhere that files have to be put, or put aside: the live server's locations and the base backup's.

    One that was made after the base backup is made again by the replay, in a folder of the clone's own; one that was
    dropped since comes back to where it lay. Of one that came and went in between only the WAL tells: it is searched
    here where that takes no time, and in any case before the clone is started.

    Raises:
        Refused: in one of them nothing can be swapped by a rename; with the reason.
    """
    container = must_find(docker, server.service, server.setting("postgres"))
    made = made_in(_records(aim, server, base, files)).items()
    passing = (placed(container, server.home, server.version, oid, location) for oid, location in made)
    # Whoever is live may lie elsewhere now than where it was made.
    known = {oid for space in server.tablespaces for oid in space.oids}
    found = merged(
        [
            *server.tablespaces,
            *_of_base(server, base, container),
            *(space for space in passing if not known & set(space.oids)),
        ]
    )
    for space in found:
        if space.problem:
            raise Refused(
                f"The tablespace at {space.location} cannot be recovered beside its live files.",
                code="MD-PG-039",
                detail=f"Of the Docker host's view: {space.problem}.",
                hint=_MOUNT_IT,
            )
    _one_folder_each(found)
    spaces = Tablespaces(found)
    if found:
        _are_there(spaces, server, files)
    return spaces


def _records(aim: Aim, server: Server, base: Base, files: PostgresFiles) -> Iterator[str]:
    """The records of tablespaces between the base backup and the stop, where there is little WAL to read."""
    if len(base.segments) > _SEARCHED:
        return
    for timeline, names in groupby(base.segments, key=lambda name: int(name[:8], 16)):
        for line in files.waldump(server, timeline, tuple(names), rmgrs=("Tablespace",)):
            if (lsn_of_line(line) or 0) < aim.stop.through:
                yield line


def _of_base(server: Server, base: Base, container: Container) -> list[Tablespace]:
    """Where the tablespaces of the backup belong: where the live server has them now, else where they were then."""
    live = {oid for space in server.tablespaces for oid in space.oids}
    away = [space for space in base.tablespaces if space.oid not in live]
    unknown = [space for space in away if not space.location]
    if unknown:
        raise Refused(
            f"Nothing says where the tablespace {unknown[0].oid} of the base backup {base.name} belongs.",
            code="MD-PG-040",
            detail="The live server has no such tablespace any more, and a backup in plain form does not tell.",
            hint=f"Note it in {base.name}/mayday.tablespaces on the Docker host, as a line: "
            f"{unknown[0].oid} /its/location",
        )
    return [placed(container, server.home, server.version, space.oid, space.location) for space in away]


def _one_folder_each(found: tuple[Tablespace, ...]) -> None:
    held: dict[str, str] = {}
    for space in found:
        if space.parent in held:
            raise Refused(
                "Two tablespaces lie in one folder of the Docker host.",
                code="MD-PG-041",
                detail=f"{held[space.parent]} and {space.location} are both {space.parent}.",
                hint="One of the two mounts is wrong; correct it, then ask again.",
            )
        held[space.parent] = space.location


def _are_there(spaces: Tablespaces, server: Server, files: PostgresFiles) -> None:
    rooms = files.rooms(spaces.on(server))
    for space in spaces.all:
        if rooms[space.location].device == "none":
            raise Refused(
                f"The folder of the tablespace at {space.location} is missing on the Docker host.",
                code="MD-PG-042",
                detail=f"There is no {space.parent}.",
                hint="See that its disk is mounted; make the folder again if it was removed; then ask again.",
            )


def tablespace_rows(spaces: Tablespaces, base: Base) -> tuple[tuple[str, str], ...]:
    """The tablespaces in the plan."""
    held = {space.oid for space in base.tablespaces}
    return tuple(
        (f"Tablespace {space.location}", f"{_from(held, space)}; beside {space.parent}/{space.leaf}")
        for space in spaces.all
    )


def _from(held: set[int], space: Tablespace) -> str:
    return "from the base backup" if held & set(space.oids) else "made after the base backup, from WAL"


def kept_words(spaces: Tablespaces, names: Names) -> str:
    """Where the old files of tablespaces lie after the swap."""
    return ", ".join(f"{space.parent}/{names.before_leaf(space)}" for space in spaces.all)
