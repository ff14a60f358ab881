"""The configuration files below PGDATA: which of them a server reads, and what they set.

A base backup has them as they were when it was taken, and no WAL tells of changes. The rules are those of
PostgreSQL's guc-file.l (names and values, include directives, the last setting wins) and hba.c (files named with
``@`` and, from 16 on, with include). ``postgresql.auto.conf`` is read last and always lies in the data directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from posixpath import normpath

from actions.postgres.recovery_conf import strip_auto_conf

AUTO_CONF = "postgresql.auto.conf"
_SETTING = re.compile(
    r"^\s*(?P<name>[A-Za-z_][\w$.]*)\s*=?\s*(?:'(?P<quoted>(?:[^'\\\n]|\\.|'')*)'|(?P<plain>[^\s#'][^\s#]*))", re.ASCII
)
_HBA_INCLUDE = re.compile(r"^\s*(?P<how>include|include_if_exists|include_dir)\s+\"?(?P<path>[^\"\s]+)\"?", re.ASCII)
_HBA_LIST = re.compile(r"(?<![^\s,])@\"?(?P<path>[^\s,\"#]+)", re.ASCII)
# The names that a server looks for in PGDATA where no setting says otherwise (its certificate and key).
_OF_THEMSELVES = ("server.crt", "server.key")
_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
_DEEPEST = 10  # As guc-file.l itself: more levels of inclusion are an error.
# Files that include each other lead to one another in n ** 10 ways; no server reads such a configuration in its life.
_MOST_READ = 2000


@dataclass(frozen=True)
class ConfigFile:
    """One file, by its path below PGDATA. `digest` is its SHA-256, or "-> target" of a symbolic link.

    `text` is None where it was not read: a key, a link, or more than a configuration file ever holds.
    """

    path: str
    digest: str
    text: str | None = None


@dataclass(frozen=True)
class ConfigTree:
    """What may be configuration in one data directory.

    `there` says that it is a data directory at all. `broken` is what the server's own program said where its
    settings cannot be loaded, and `prepared` the max_prepared_transactions that they give, None if not known.
    """

    there: bool
    files: Mapping[str, ConfigFile] = field(default_factory=dict)
    broken: str = ""
    prepared: int | None = None


@dataclass(frozen=True)
class ConfigPlace:
    """Where a server finds its files: `config`, `hba` and `ident` are paths below PGDATA, empty where outside of it.

    `inside` is PGDATA as the server sees it.
    """

    inside: str
    config: str = "postgresql.conf"
    hba: str = "pg_hba.conf"
    ident: str = "pg_ident.conf"

    def below(self, path: str, folder: str = "") -> str:
        """A path as it stands in a file of that folder, below PGDATA; empty where it leads out of it."""
        whole = normpath(str(PurePosixPath(self.inside) / folder / path))
        home = normpath(self.inside)
        return whole[len(home) + 1 :] if whole.startswith(home + "/") else ""


@dataclass
class Reading:
    """What a server would read: its settings with the file each comes from, all files, folders that are read whole."""

    settings: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    inclusions: int = 0


def place_of(command: Sequence[str], inside: str) -> ConfigPlace:
    """Where the server's command line says that its files lie."""
    said = dict(options_in(command))
    plain = ConfigPlace(inside)
    found = {
        part: plain.below(said[name]) if name in said else getattr(plain, part)
        for part, name in (("config", "config_file"), ("hba", "hba_file"), ("ident", "ident_file"))
    }
    return ConfigPlace(inside, **found)


def options_in(command: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The settings of a command line: names (lower case, with underscores) and values."""
    for n, part in enumerate(command):
        text = command[n + 1] if part == "-c" and n + 1 < len(command) else part[2:]
        if part == "-c" or part.startswith("--") or (part.startswith("-c") and "=" in part):
            name, _, value = text.partition("=")
            yield name.strip().lower().replace("-", "_"), value


def read(tree: Mapping[str, ConfigFile], place: ConfigPlace) -> Reading:
    """Read as the server does, from these files."""
    reading = Reading()
    for main in (place.config, AUTO_CONF):
        _settings_of(main, tree, place, reading, 0)
    for setting, default in (("hba_file", place.hba), ("ident_file", place.ident)):
        given = reading.settings.get(setting)
        _rules_of(place.below(given[0]) if given and default else default, tree, place, reading, 0)
    for path in (*_named(reading, place), *_OF_THEMSELVES):
        if path in tree:
            _take(path, reading)
    return reading


def _take(path: str, reading: Reading) -> None:
    if path not in reading.files:
        reading.files.append(path)


def _settings_of(path: str, tree: Mapping[str, ConfigFile], place: ConfigPlace, reading: Reading, depth: int) -> None:
    if not path or depth > _DEEPEST or reading.inclusions > _MOST_READ:
        return
    reading.inclusions += 1
    if path not in tree:
        reading.absent.append(path)
        return
    _take(path, reading)
    folder = str(PurePosixPath(path).parent)
    for name, value in settings_in(text_of(tree[path])):
        if name in ("include", "include_if_exists"):
            _settings_of(place.below(value, folder), tree, place, reading, depth + 1)
        elif name == "include_dir":
            for one in _members(place.below(value, folder), tree, reading):
                _settings_of(one, tree, place, reading, depth + 1)
        else:
            reading.settings[name] = (value, path)


def _members(folder: str, tree: Mapping[str, ConfigFile], reading: Reading) -> list[str]:
    """The files of an included folder: those that end in .conf and are not hidden, in the order of their names."""
    if folder and folder not in reading.folders:
        reading.folders.append(folder)
    return sorted(path for path in tree if is_member(path, folder))


def is_member(path: str, folder: str) -> bool:
    """Whether a folder that is included has this file read."""
    name = PurePosixPath(path).name
    return str(PurePosixPath(path).parent) == folder and name.endswith(".conf") and name[0] != "."


def settings_in(text: str) -> Iterator[tuple[str, str]]:
    """Names (lower case) and values in the order of their lines; what is no setting is passed over."""
    for line in text.splitlines():
        if found := _SETTING.match(line):
            quoted = found["quoted"]
            value = found["plain"] if quoted is None else _ESCAPED.sub(lambda hit: hit[1] or "'", quoted)
            yield found["name"].lower(), value


def text_of(file: ConfigFile) -> str:
    """Its text, as it counts after a recovery: without settings that would redirect one."""
    text = file.text or ""
    return strip_auto_conf(text)[0] if file.path == AUTO_CONF else text


def _rules_of(path: str, tree: Mapping[str, ConfigFile], place: ConfigPlace, reading: Reading, depth: int) -> None:
    """pg_hba.conf or pg_ident.conf, with what they include."""
    if not path or depth > _DEEPEST or path in reading.files:
        return
    if path not in tree:
        reading.absent.append(path)
        return
    _take(path, reading)
    folder = str(PurePosixPath(path).parent)
    for line in rules_in(text_of(tree[path])):
        named = _HBA_INCLUDE.match(line)
        if named and named["how"] == "include_dir":
            for one in _members(place.below(named["path"], folder), tree, reading):
                _rules_of(one, tree, place, reading, depth + 1)
        elif named:
            _rules_of(place.below(named["path"], folder), tree, place, reading, depth + 1)
        for listed in _HBA_LIST.finditer(line):
            _rules_of(place.below(listed["path"], folder), tree, place, reading, depth + 1)


def rules_in(text: str) -> list[str]:
    """The lines that count, with their blanks made single."""
    lines = (" ".join(line.split("#", 1)[0].split()) for line in text.splitlines())
    return [line for line in lines if line]


def _named(reading: Reading, place: ConfigPlace) -> Iterator[str]:
    """Files below PGDATA that the value of a setting names: certificates, keys, scripts of archive_command."""
    for name, (value, _) in reading.settings.items():
        if name.startswith("ssl_"):
            yield place.below(value)
        for word in re.findall(rf"{re.escape(place.inside)}/[^\s'\";|&]+", value):
            yield place.below(word)
