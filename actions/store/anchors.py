"""Heads of journals, noted outside of the store that holds them, each signed with a key of the installation.

A chain of hashes tells that an entry was changed or taken out of its middle. That its last entries, or a whole journal,
are gone is told by what was noted elsewhere: here, in a file, and in the last message of each run's thread.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import io
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from actions.engine.journal import Entry

_KEY_BYTES = 32
_LONGEST_LINE = 4096
"""Far more than a moment, a journal's name, a number and two hashes take."""


@dataclass(frozen=True)
class Anchor:
    """A journal had that many entries, and its last one that hash."""

    journal: str
    n: int
    hash: str


@dataclass(frozen=True)
class KnownAnchors:
    """What a file of anchors says: the newest one of each journal, and the lines that our key did not sign."""

    newest: Mapping[str, Anchor]
    forged: tuple[int, ...] = ()


def anchors_path(named: str, store: str) -> str:
    """Where the heads are noted: in the file that is named, else beside a SQLite store, else nowhere (empty)."""
    kind, _, path = store.partition(":///")
    return named or (f"{path}.anchors" if kind == "sqlite" and path else "")


class AnchorFile:
    """A file of anchors with its key beside it (`.key`); both are their owner's alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key_path = path.with_name(f"{path.name}.key")

    def append(self, anchors: Iterable[Anchor], at: datetime) -> None:
        """Note them; the key is made when there is none.

        Raises:
            OSError: the file or its key cannot be written.
        """
        # The file is there before its key, so that a key without a file is always a file that was taken away.
        with _for_me_alone(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)) as file:
            key, now = self._made_key(), at.isoformat()
            lines = "".join(f"{now} {a.journal} {a.n} {a.hash} {_mac(key, now, a)}\n" for a in anchors)
            end = _drop_half_line(file)
            try:
                _write_all(file, lines.encode())
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), end)
                raise

    def read(self) -> KnownAnchors | None:
        """All of it; None where nothing was ever noted.

        Raises:
            OSError: the file is there, and it or its key cannot be read.
        """
        if not self.key_path.exists() and not (self.path.exists() and self.path.stat().st_size):
            return None
        key, newest, forged = self.key_path.read_bytes(), dict[str, Anchor](), list[int]()
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            anchor = _read(line, key)
            if anchor is None:
                forged.append(number)
            elif anchor.journal not in newest or newest[anchor.journal].n <= anchor.n:
                newest[anchor.journal] = anchor
        return KnownAnchors(newest, tuple(forged))

    def _made_key(self) -> bytes:
        # Written aside and put there whole: a key that is half a key would be nobody's, and stay.
        if not self.key_path.exists():
            draft = self.key_path.with_name(f"{self.key_path.name}.{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.key_path)
        return self.key_path.read_bytes()


@contextmanager
def _for_me_alone(handle: int) -> Iterator[io.FileIO]:
    """The file, while no other process on this host writes into it. Nothing is buffered that could be written late."""
    with io.FileIO(handle, "r+") as file:
        # A file of another machine may know no locks.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _write_all(file: io.FileIO, data: bytes) -> None:
    """A full disk takes the first part, and says so at the second."""
    while data:
        data = data[file.write(data) :]


def _drop_half_line(file: io.FileIO) -> int:
    """Cut off what a writer that was killed has left, so that the next line is one of its own; where the file ends."""
    begin = max(0, os.fstat(file.fileno()).st_size - _LONGEST_LINE)
    file.seek(begin)
    whole = begin + file.readall().rfind(b"\n") + 1
    os.ftruncate(file.fileno(), whole)
    return whole


def cut_short(found: KnownAnchors, entries: Callable[[str], list[Entry]]) -> Iterator[tuple[str, str]]:
    """The journals that have less, or something else, than was noted of them; and in which way."""
    for anchor in found.newest.values():
        told = entries(anchor.journal)
        if not told:
            yield anchor.journal, f"the journal is gone, and had {anchor.n} entries"
        elif len(told) < anchor.n:
            yield anchor.journal, f"it has {len(told)} entries, and had {anchor.n}"
        elif told[anchor.n - 1].hash != anchor.hash:
            yield anchor.journal, f"entry {anchor.n} is another than the one that was noted"


def _read(line: str, key: bytes) -> Anchor | None:
    parts = line.split(" ")
    if len(parts) != 5 or not parts[2].isdigit():
        return None
    anchor = Anchor(parts[1], int(parts[2]), parts[3])
    return anchor if hmac.compare_digest(_mac(key, parts[0], anchor), parts[4]) else None


def _mac(key: bytes, at: str, anchor: Anchor) -> str:
    said = f"{at} {anchor.journal} {anchor.n} {anchor.hash}"
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
