"""Configuration files of the live server, of a clone and of a base backup: read, and brought from the live one."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import tarfile
from collections.abc import Iterator, Sequence

from actions.engine.errors import RecoveryError
from actions.postgres.config_changes import Changes, Laid, digest_of
from actions.postgres.config_files import AUTO_CONF, ConfigFile, ConfigTree, options_in, text_of
from actions.postgres.inventory import FILE_NAME
from actions.postgres.server import Server
from actions.redact import redact
from actions.tools.names import Names
from workers.docker.confirmations import confirm, confirm_unused
from workers.docker.helper import HOME, checked
from workers.docker.text_files import put_text
from workers.postgres.base_checks import checked_name
from workers.postgres.server_helper import BASES, ServerHelper

# What a data directory holds beside PostgreSQL's own files: at most so many, none larger, keys by their digest alone.
# Then what the server's own program says of its settings; -C prints one and needs no server, nor another user.
_READ = r"""
candidates() {
    find . -maxdepth "$1" -type d \( -path './base' -o -path './global' -o -path './pg_*' -o -name log \) -prune -o \
        \( -type f -o -type l \) -path "$2" ! -name 'PG_VERSION' ! -name 'postmaster.*' ! -name 'backup_*' \
        ! -name 'tablespace_map*' ! -name '*.signal' ! -name '*.before_*' ! -name '.mayday*' ! -name '*.draft' \
        ! -name 'current_logfiles*' ! -name '*.log' ! -name "$inventory" ! -size +512k -print
}
one() {
    cd "$1" 2>/dev/null || { printf '\034no\034\034'; return; }
    [ -f PG_VERSION ] && printf '\034yes' || printf '\034no'
    # One stream of all: a process for each file would cost more than all there is to read.
    { candidates 1 './*'; candidates 4 './*/*'; } | head -n 300 | tar -cf - -T - 2>/dev/null | base64
    printf '\034'
    shift
    [ ! -f PG_VERSION ] || postgres -C max_prepared_transactions -D "$PWD" "$@" 2>&1
    printf '\034'
}
inventory=$1 a=$2 b=$3; shift 3
(one "$a" "$@")
[ -z "$b" ] || (one "$b" "$@")
exit 0
"""
# Parameters: the live directory, the clone's, the run, then path and digest of each file. One that lies there already
# is left; what it replaces is kept beside it, once. The copy counts only if it is what people were shown.
_LAY = r"""
live=$1 clone=$2 run=$3; shift 3
digest() { if [ -L "$1" ]; then printf -- '-> %s' "$(readlink "$1")"; else sha256sum <"$1" | cut -d' ' -f1; fi; }
owner=$(stat -c %u:%g "$clone") || exit 1
cd "$clone" || exit 64
while [ $# -gt 1 ]; do
    p=$1 wanted=$2; shift 2
    d=$(dirname "$p")
    if [ -e "$p" ] || [ -L "$p" ]; then
        [ "$(digest "$p")" != "$wanted" ] || continue
        [ -e "$p.before_$run" ] || [ -L "$p.before_$run" ] || mv "$p" "$p.before_$run" || exit 1
    fi
    [ -d "$d" ] || { mkdir -p "$d" && chown "$owner" "$d" && chmod 0700 "$d"; } || exit 1
    draft=$p.$run.draft
    cp -pPf "$live/$p" "$draft" || exit 1
    [ "$(digest "$draft")" = "$wanted" ] || { rm -f "$draft"; echo "$p is not as it was shown" >&2; exit 66; }
    sync "$draft" 2>/dev/null || sync
    mv -f "$draft" "$p" || exit 1
    sync "$d" 2>/dev/null || sync
done
"""
_AWAY = r"""
cd "$1" || exit 64
run=$2; shift 2
for p do
    [ ! -e "$p" ] || mv "$p" "$p.before_$run" || exit 1
done
"""
_CHANGED = 66
# The helper does not see what lies outside of the data directory, so it cannot say that a file is missing there.
_ELSEWHERE = re.compile(r"could not (?:open|access|read)|No such file|must be specified", re.IGNORECASE)
_STAMP = re.compile(r"^\S+ \S+ \S+ \[\d+\] ", re.MULTILINE)


class ConfigurationReader:
    """Reads configuration, and lays that of the live server into a clone. The live directory is only read."""

    def __init__(self, helper: ServerHelper, client: object) -> None:
        self._helper = helper
        self._client = client

    def read(self, server: Server, leaf: str = "", backup: str = "") -> tuple[ConfigTree, ConfigTree]:
        """That of the live directory; and of another beside it, or of a base backup."""
        other = f"{BASES}/{checked_name(backup)}" if backup else f"{HOME}/{leaf}" if leaf else ""
        live = f"{HOME}/{server.home.leaf}"
        done = self._helper.inside(server).script(_READ, FILE_NAME, live, other, *settings_of(server.command))
        parts = checked(done, "reading the configuration files").split("\x1c")
        return _tree(*parts[1:3]), _tree(*parts[4:6]) if other else ConfigTree(False)

    def lay(self, server: Server, names: Names, changes: Changes) -> None:
        """Put the live server's files into the clone's directory; what they replace stays beside them."""
        leaf = names.clone_leaf(server.home)
        confirm(self._client, server.service, server.container)
        confirm_unused(self._client, server.data, leaf)
        inside, clone, live = self._helper.inside(server), f"{HOME}/{leaf}", f"{HOME}/{server.home.leaf}"
        lays = [one for one in changes.lays if one.path != AUTO_CONF]
        given = [part for one in lays for part in (safe(one.path), one.digest)]
        done = inside.script(_LAY, live, clone, names.run, *given)
        if done.code == _CHANGED:
            raise _changed(done.said())
        checked(done, "keeping the configuration of the live server")
        if len(lays) != len(changes.lays):
            self._auto_conf(server, clone, next(one for one in changes.lays if one.path == AUTO_CONF))
        away = [safe(path) for path in changes.away]
        checked(inside.script(_AWAY, clone, names.run, *away), "moving configuration files away")

    def _auto_conf(self, server: Server, clone: str, wanted: Laid) -> None:
        """What ALTER SYSTEM has set, without what would redirect a recovery. The backup's was kept by the seal."""
        file = self.read(server)[0].files.get(AUTO_CONF)
        if file is None or digest_of(file) != wanted.digest:
            raise _changed(f"{AUTO_CONF} is not as it was shown")
        put_text(self._helper.inside(server), f"{clone}/{AUTO_CONF}", text_of(file), mode="0600")


def _changed(said: str) -> RecoveryError:
    return RecoveryError(
        "The configuration of the live server has changed since it was shown.",
        detail=said,
        hint="Undo, and ask again: it is compared anew then.",
    )


def settings_of(command: Sequence[str]) -> list[str]:
    """The settings of a command line, as options for the server's own program."""
    return [part for name, value in options_in(command) for part in ("-c", f"{name}={value}")]


def safe(path: str) -> str:
    """A path below a data directory, and nothing else."""
    if not path or path.startswith(("/", "-")) or ".." in path.split("/") or "\n" in path:
        raise RecoveryError(
            "That is no path of a configuration file.",
            detail=repr(path[:80]),
            hint="This is an error of Mayday; report it.",
        )
    return path


def _tree(head: str, said: str) -> ConfigTree:
    there = head.startswith("yes")
    last = (said.strip().splitlines() or [""])[-1]
    prepared = int(last) if last.isdigit() else None
    broken = "" if prepared is not None or _ELSEWHERE.search(said) else redact(_STAMP.sub("", said.strip()))[-600:]
    return ConfigTree(there, dict(_files(base64.b64decode(head[3 if there else 2 :]))), broken, prepared)


def _files(archive: bytes) -> Iterator[tuple[str, ConfigFile]]:
    if not archive:
        return
    with tarfile.open(fileobj=io.BytesIO(archive)) as found:
        for member in found:
            path = member.name.removeprefix("./")
            if member.issym():
                yield path, ConfigFile(path, f"-> {member.linkname}")
            elif (file := found.extractfile(member)) is not None:
                yield path, _file(path, file.read())


def _file(path: str, data: bytes) -> ConfigFile:
    """A key goes no further than its digest."""
    text = None if b"PRIVATE KEY" in data or b"\0" in data else data.decode(errors="surrogateescape")
    return ConfigFile(path, hashlib.sha256(data).hexdigest(), text)
