"""The files that make a standby of a copy: passfile, settings, signal. The password is on no command line."""

from __future__ import annotations

import io
import tarfile
from typing import Any

from actions.postgres.following import PASSFILE
from actions.postgres.recovery_conf import strip_auto_conf
from actions.postgres.server import Server
from actions.tools.names import Names
from workers.docker.errors import speaking
from workers.docker.exec import Inside
from workers.docker.helper import HOME, checked
from workers.docker.text_files import put_text

AUTO_CONF = "postgresql.auto.conf"
# An empty directory that Docker made belongs to root; the server of the image runs as its user postgres.
_OWNER = r"""
owner=$(stat -c %u:%g "$1") || exit 1
case $owner in 0:*) owner=$(id -u postgres):$(id -g postgres) || exit 1 ;; esac
echo "$owner"
"""
_LAY = r"""
cd "$1" && chown "$4" "$2" && chmod 0600 "$2" && mv -f "$2" "$3" && { sync "$3" 2>/dev/null || sync; }
"""
_PREPARE = r"""
cd "$1" || exit 64
[ -f PG_VERSION ] && [ -f global/pg_control ] && [ -f backup_label ] || { echo "the copy is not whole" >&2; exit 65; }
[ ! -f postgresql.auto.conf ] || cat postgresql.auto.conf
"""
_SIGNAL = r"""
umask 077
cd "$1" || exit 64
if [ -f "$2" ]; then mv -f "$2" "$3" || exit 1; fi
[ -f "$3" ] || { echo "there is no passfile" >&2; exit 66; }
: >standby.signal && rm -f recovery.signal && chown "$(stat -c %u:%g .)" standby.signal "$3" && chmod 0600 "$3"
"""


def owner_of(inside: Inside, leaf: str) -> str:
    """As whom the standby's server runs, `uid:gid`."""
    return checked(inside.script(_OWNER, f"{HOME}/{leaf}"), "finding out whose the data directory is").strip()


def passfile_leaf(server: Server, names: Names) -> str:
    """Where the passfile lies until the copy is there, beside the data directory."""
    return f"{server.home.leaf}_passfile_{names.run}"


def read_passfile(inside: Inside, path: str) -> str:
    """What stands in a passfile below the folder of the data; empty where it is not there."""
    done = inside.script('[ ! -f "$1" ] || cat "$1"', f"{HOME}/{path}")
    line = checked(done, "looking for the passfile")
    return f"{line.rstrip()}\n" if line.strip() else ""


def lay_passfile(client: Any, inside: Inside, server: Server, names: Names, line: str) -> None:
    """Lay it for the server's user alone; as a file of an archive, so that no process and no event names it."""
    leaf = passfile_leaf(server, names)
    draft, owner = f".{leaf}.draft", owner_of(inside, server.home.leaf)
    with speaking("laying the passfile"):
        client.api.put_archive(inside.container, HOME, _packed(draft, line.encode()))
    checked(inside.script(_LAY, HOME, draft, leaf, owner), "laying the passfile")


def _packed(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), 0o600
        tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def withdraw_passfile(inside: Inside, server: Server, names: Names) -> None:
    """Remove the run's own passfile and what an attempt to lay it left."""
    leaf = passfile_leaf(server, names)
    checked(inside.run(["rm", "-f", f"{HOME}/{leaf}", f"{HOME}/.{leaf}.draft"]), "removing the passfile")


def make_follow(inside: Inside, server: Server, names: Names, settings: str) -> None:
    """Settings, passfile and signal into the clone; whatever was to redirect a recovery of the primary goes."""
    path = f"{HOME}/{names.clone_leaf(server.home)}"
    auto_conf = checked(inside.script(_PREPARE, path), "preparing the copy")
    told = {line.partition(" = ")[0] for line in settings.splitlines()}
    kept = [line for line in strip_auto_conf(auto_conf)[0].splitlines() if line.partition("=")[0].strip() not in told]
    text = "".join(f"{line}\n" for line in kept) + settings
    put_text(inside, f"{path}/{AUTO_CONF}", text, mode="0600")
    passfile = f"{HOME}/{passfile_leaf(server, names)}"
    checked(inside.script(_SIGNAL, path, passfile, PASSFILE), "making the copy follow its primary")
