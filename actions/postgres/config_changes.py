"""What differs between the configuration of the live server and that of a backup, and what keeping the former takes."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from actions.postgres.config_files import (
    AUTO_CONF,
    ConfigFile,
    ConfigPlace,
    ConfigTree,
    Reading,
    is_member,
    read,
    rules_in,
    text_of,
)
from actions.redact import redact

# They take memory, or a server's start depends on them, so they are named before all others.
LARGE = (
    "max_connections",
    "shared_buffers",
    "max_prepared_transactions",
    "max_worker_processes",
    "max_wal_senders",
    "max_locks_per_transaction",
    "max_replication_slots",
    "huge_pages",
    "shared_preload_libraries",
    "wal_level",
    "archive_mode",
    "archive_command",
    "archive_library",
)
_USUAL = ("postgresql.conf", "pg_hba.conf", "pg_ident.conf")
_LONGEST = 120


@dataclass(frozen=True)
class Laid:
    """A file of the live server to put into the clone: its path below PGDATA, and the digest that it must have."""

    path: str
    digest: str


@dataclass(frozen=True)
class Changes:
    """Keeping the live server's files: those to lay, those to move away, those that it lacks; and what differs."""

    lays: tuple[Laid, ...] = ()
    away: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def changes(live: ConfigTree, backup: ConfigTree, place: ConfigPlace) -> Changes:
    """What to do for the live server's configuration to count. A directory that is none has no say."""
    if not live.there:
        return Changes(missing=("the data directory",))
    # A file that the live server lacks is taken from the backup; but a folder that is read whole must not grow by it.
    ours = read(live.files, place)
    absent = {path: backup.files[path] for path in _absent(ours, live, backup, place)}
    merged = {**absent, **live.files}
    ours, theirs = read(merged, place), read(backup.files, place)
    unread = _unread(live, backup, ours)
    lays = tuple(
        Laid(path, digest_of(live.files[path]))
        for path in (*ours.files, *unread)
        if path in live.files and differs(live.files[path], backup.files.get(path))
    )
    away = tuple(path for path in theirs.files if path not in merged and _is_read(path, ours))
    lines = (
        *_lines(ours, theirs, merged, backup.files, place),
        *(f"{path}: differs from that of the backup; the server does not read it" for path in unread),
    )
    return Changes(lays, away, tuple(sorted(absent)), lines)


def _unread(live: ConfigTree, backup: ConfigTree, ours: Reading) -> list[str]:
    """Files that are configuration by their names alone: the server's command line names others, today."""
    mine = (path for path in _USUAL if path in live.files and path not in ours.files)
    return [path for path in mine if differs(live.files[path], backup.files.get(path))]


def _absent(ours: Reading, live: ConfigTree, backup: ConfigTree, place: ConfigPlace) -> list[str]:
    found: dict[str, ConfigFile] = {}
    while more := [path for path in ours.absent if path in backup.files and path not in found]:
        found.update({path: backup.files[path] for path in more})
        ours = read({**found, **live.files}, place)
    return sorted(found)


def _is_read(path: str, ours: Reading) -> bool:
    return any(is_member(path, folder) for folder in ours.folders)


def digest_of(file: ConfigFile) -> str:
    """The digest of a file as it is to lie in the clone."""
    if file.path != AUTO_CONF or file.text is None:
        return file.digest
    return hashlib.sha256(text_of(file).encode(errors="surrogateescape")).hexdigest()


def differs(live: ConfigFile, backup: ConfigFile | None) -> bool:
    """Whether the clone needs the live server's file."""
    return backup is None or digest_of(live) != digest_of(backup)


def _lines(
    ours: Reading, theirs: Reading, live: Mapping[str, ConfigFile], backup: Mapping[str, ConfigFile], place: ConfigPlace
) -> Iterator[str]:
    """Settings first, the large ones before all others; then rules of access; then other files, by their names."""
    shown = {**ours.settings, **theirs.settings}
    for name in sorted(shown, key=lambda name: (name not in LARGE, LARGE.index(name) if name in LARGE else 0, name)):
        now, then = ours.settings.get(name), theirs.settings.get(name)
        if (now and now[0]) != (then and then[0]):
            yield f"{name}: {_value(name, now)} (in the backup: {_value(name, then)})"
    configs = {path for _, path in (*ours.settings.values(), *theirs.settings.values())} | {place.config, AUTO_CONF}
    for path in sorted({*ours.files, *theirs.files}):
        now_file, then_file = live.get(path), backup.get(path)
        # What a file of settings says was told by their names, unless it could not be read.
        if path not in configs or any(file is not None and file.text is None for file in (now_file, then_file)):
            yield from _file_lines(path, now_file, then_file)


def _value(name: str, found: tuple[str, str] | None) -> str:
    if found is None:
        return "not set"
    clean = redact(f"{name} = '{found[0]}'").partition(" = ")[2].strip("'")
    return _cut(clean) or "empty"


def _file_lines(path: str, now: ConfigFile | None, then: ConfigFile | None) -> Iterator[str]:
    if now and then and not differs(now, then):
        return
    if now is None or then is None:
        yield f"{path}: only {'in the backup' if now is None else 'on the live server'}"
    elif now.text is None or then.text is None:
        yield f"{path}: another content"
    else:
        yield from _rule_lines(path, rules_in(then.text), rules_in(now.text))


def _rule_lines(path: str, then: list[str], now: list[str]) -> Iterator[str]:
    changed = [line for line in difflib.ndiff(then, now) if line[:2] in ("+ ", "- ")]
    for line in changed:
        yield f"{path}: {'added since' if line[0] == '+' else 'gone since'}: {_cut(redact(line[2:]))}"


def _cut(text: str) -> str:
    text = text.encode(errors="replace").decode()  # A file may be in another encoding than UTF-8.
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
