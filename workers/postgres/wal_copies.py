"""The copies of each WAL segment: which there are, what is known against each, and which one is used next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from actions.engine.errors import RecoveryError
from actions.postgres.archive import WalFile
from actions.postgres.backups import BackupFiles, BaseBackup, read_backup
from actions.postgres.brought import sought
from actions.postgres.chains import with_chains
from actions.postgres.segments import whole_segments
from actions.postgres.server import Server
from actions.postgres.timelines import parse_history
from workers.docker.helper import checked
from workers.postgres import folders
from workers.postgres.base_wal import BaseWal, Brought
from workers.postgres.folders import FolderListings, own_wal
from workers.postgres.gather_wal import PROGRAMS
from workers.postgres.server_helper import ARCHIVE, ServerHelper
from workers.postgres.unpack import text_of, unpack_into
from workers.postgres.wal_names import bare_name, cost_of, form_of_copy, size_of

_UNPACKED = "/var/tmp/mayday.unpacked"
_SILENT = "it does not say where its timeline began"


class _Seen:
    """One listing, taken apart when it is first asked for."""

    def __init__(self, helper: ServerHelper, server: Server, folders: FolderListings) -> None:
        self._helper, self._server, self.folders = helper, server, folders

    @cached_property
    def archive(self) -> list[WalFile]:
        return self.judged(ARCHIVE, folders.listed(self._server, ARCHIVE, self.folders.archive))

    @cached_property
    def own(self) -> list[WalFile]:
        folder = own_wal(self._server)
        return self.judged(folder, folders.listed(self._server, folder, self.folders.tail))

    @cached_property
    def texts(self) -> dict[str, str]:
        """The text of each history, of a timeline or of a backup, by its path."""
        texts = folders.small_files(self.folders.histories)
        lacking = [path for path in texts if form_of_copy(path) and not self.has_program(path)]
        return texts | {path: text_of(self._helper.inside(self._server), path) for path in lacking}

    @cached_property
    def backups(self) -> list[BackupFiles]:
        """The base backups; none where their folder is not there, which is told elsewhere."""
        done = self.folders.backups
        return folders.base_backups(self._server, done, self.ends) if done.code == 0 else []

    @cached_property
    def ends(self) -> list[str]:
        return [text for path, text in self.texts.items() if not bare_name(path)]

    def judged(self, folder: str, files: list[WalFile]) -> list[WalFile]:
        silent = {path for path, text in self.texts.items() if bare_name(path) and not _tells(text)}
        return [replace(f, wrong=f.wrong or (_SILENT if f"{folder}/{f.name}" in silent else "")) for f in files]

    def has_program(self, path: str) -> bool:
        return PROGRAMS.get(form_of_copy(path), "") in self.folders.programs


class Copies:
    """All copies of one server's WAL. What is found wrong with one while it is read is remembered and told."""

    def __init__(
        self, helper: ServerHelper, look: Callable[[Server], FolderListings], forget: Callable[[], None]
    ) -> None:
        self._helper, self._look, self._forget = helper, look, forget
        self._base_wal = BaseWal(helper)
        self._read: dict[str, tuple[BackupFiles, BaseBackup]] = {}
        self._blamed: dict[str, str] = {}
        self._origins: dict[str, str] = {}
        self._last: _Seen | None = None

    def archive(self, server: Server) -> list[WalFile]:
        """The files of the archive, each with what is wrong with it."""
        return self._told(ARCHIVE, self._seen(server).archive)

    def own(self, server: Server) -> list[WalFile]:
        """The files of the live server's own pg_wal."""
        return self._told(own_wal(server), self._seen(server).own)

    def brought(self, server: Server, also: Sequence[str] = ()) -> list[Brought]:
        """The WAL that base backups bring along: what the archive has no good copy of, and what is in `also`."""
        held = whole_segments(file.name for file in self.archive(server) if not file.wrong)
        backups = with_chains(self._backup(found) for found in self._seen(server).backups)
        wanted = sought(backups, held - set(also), server.segment_size)
        found = self._base_wal.look(server, wanted)
        return [Brought(one.folder, self._told(one.folder, one.files)) for one in found]

    def _backup(self, found: BackupFiles) -> BaseBackup:
        """Read once as long as it is the same: the manifest of a large cluster is long."""
        known = self._read.get(found.path)
        if known is None or known[0] != found:
            known = self._read[found.path] = (found, read_backup(found))
        return known[1]

    def archived(self, server: Server, name: str) -> bool:
        """Whether the archive holds a segment or a history, well or badly, in any form."""
        return any(bare_name(file.name) == name for file in self.archive(server))

    def histories(self, server: Server) -> dict[str, str]:
        """What the history of each timeline says, from the archive or the live server; what is unreadable is not one.

        A copy that was cut short after a line is a history too, but a shorter one.
        """
        texts = [(bare_name(path), text) for path, text in self._seen(server).texts.items()]
        known = ((name, text) for name, text in texts if name and _tells(text))
        return dict(sorted(known, key=lambda item: len(item[1])))

    def backup_ends(self, server: Server) -> list[str]:
        """What the archive's .backup files say: each where a base backup began and ended."""
        return self._seen(server).ends

    def blame(self, path: str, why: str) -> None:
        """A copy turned out to be bad: it is not used again, and the window counts it out."""
        self._blamed.setdefault(self._origins.get(path, path), why)

    def readable(self, server: Server, names: Sequence[str], saved: str = "") -> list[str]:
        """A path for the best copy of each file of WAL, of a form that a program of the image can read.

        What the image has no program for was unpacked by the worker. With `saved`, what lies in that folder comes
        first.

        Raises:
            RecoveryError: one of them has no copy that can be used; it says what is wrong with each.
        """
        while True:
            paths = self._best(server, names, saved)
            packed = [path for path in paths if form_of_copy(path) and not self._seen(server).has_program(path)]
            if not packed:
                return paths
            plain = self._unpacked(server, packed)
            if plain is not None:
                return [plain.get(path, path) for path in paths]

    def some(self, server: Server, names: Sequence[str]) -> list[str]:
        """The same for those that have a copy which can be used."""
        known = self._known(server, "")
        return self.readable(server, [name for name in names if any(not wrong for _, wrong in known.get(name, ()))])

    def _best(self, server: Server, names: Sequence[str], saved: str) -> list[str]:
        known = self._known(server, saved)
        if any(all(wrong for _, wrong in known.get(name, ())) for name in names):
            # It may have been written, or have arrived, since the folders were listed.
            self._forget()
            self._base_wal.forget()
            known = self._known(server, saved)
        return [_best(name, known.get(name, ())) for name in names]

    def _unpacked(self, server: Server, packed: Sequence[str]) -> dict[str, str] | None:
        """Where each is unpacked now; None where one turned out to be bad, which is blamed."""
        inside = self._helper.inside(server)
        there = checked(inside.script('mkdir -p "$1" && ls "$1"', _UNPACKED), "looking for unpacked WAL").split()
        plain = {path: f"{_UNPACKED}/{bare_name(path)}" for path in packed}
        for path in (path for path in packed if bare_name(path) not in there):
            if why := unpack_into(inside, path, _UNPACKED, size_of(server, path)):
                self.blame(path, why)
                return None
        self._origins.update({text: path for path, text in plain.items()})
        return plain

    def usable(self, server: Server, name: str, saved: str = "") -> list[str]:
        """The paths of all copies of a segment that nothing is known against, the best first."""
        return [path for path, wrong in self._known(server, saved, (name,)).get(name, ()) if not wrong]

    def _seen(self, server: Server) -> _Seen:
        folders = self._look(server)
        if self._last is None or self._last.folders is not folders:
            self._last = _Seen(self._helper, server, folders)
        return self._last

    def _told(self, folder: str, files: Sequence[WalFile]) -> list[WalFile]:
        return [replace(f, wrong=f.wrong or self._blamed.get(f"{folder}/{f.name}", "")) for f in files]

    def _known(self, server: Server, saved: str, also: Sequence[str] = ()) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Every copy by what it is a copy of, with what is wrong with it; the best first.

        What was saved comes first where it is wanted: the archive lacked it, or held just a part of it. Base backups
        are asked for what the archive lacks, and for what is in `also`. The live server's own file comes last, since
        it may be recycled while it is read.
        """
        places: list[tuple[str, Sequence[WalFile]]] = [
            (ARCHIVE, sorted(self.archive(server), key=cost_of)),
            *((one.folder, one.files) for one in self.brought(server, also)),
            (own_wal(server), self.own(server)),
        ]
        if saved:
            kept = folders.wal_files(self._helper, server, saved, else_none=True)
            places.insert(0, (saved, self._told(saved, kept)))
        known: dict[str, list[tuple[str, str]]] = {}
        for folder, files in places:
            for file in files:
                if name := bare_name(file.name):
                    known.setdefault(name, []).append((f"{folder}/{file.name}", file.wrong))
        return known


def _best(name: str, found: Sequence[tuple[str, str]]) -> str:
    usable = next((path for path, wrong in found if not wrong), "")
    if not usable:
        raise _unusable(name, [f"{path.rpartition('/')[2]}: {wrong}" for path, wrong in found])
    return usable


def _unusable(name: str, reasons: Sequence[str]) -> RecoveryError:
    if not reasons:
        return RecoveryError(
            f"Neither the archive nor the server holds {name}.",
            detail=f"{name} is missing.",
            hint="Bring it back into the archive, or choose a moment before it.",
        )
    return RecoveryError(
        f"The WAL segment {name} is damaged, and there is no other copy of it.",
        detail="; ".join(reasons),
        hint="Targets before it can still be reached; look for a good copy off-site.",
    )


def _tells(text: str) -> bool:
    """Whether a history says where its timeline began."""
    try:
        return bool(parse_history(text))
    except RecoveryError:
        return False
