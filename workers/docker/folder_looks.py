"""What is seen of folders before they are touched: the room where they lie, and whether they can be renamed."""

from __future__ import annotations

from collections.abc import Mapping

from actions.tools.folders import Room
from workers.docker.exec import Inside
from workers.docker.helper import HOME, checked

# A device's number tells file systems apart; what df calls them does not, within a container.
_ROOMS = r"""
for folder in "$@"; do
    [ -d "$folder" ] || { echo none 0; continue; }
    echo "$(stat -c %d "$folder/.") $(df -Pk "$folder" | tail -n 1 | awk '{ print $4 }')"
done
"""
# A mount on the directory, also a bind mount of the same file system, is in the way of a rename (EBUSY) whatever its
# device number says; a probe shows whether the folder above lets anything be renamed (read-only, immutable, squashed).
_PROBE = r"""
cd "$1/." || { echo "its folder cannot be entered" >&2; exit 1; }
here=$(pwd -P)
if awk -v at="${here%/}/$2" '{ gsub(/\\040/, " ", $5) } $5 == at { found = 1 } END { exit !found }' /proc/self/mountinfo
then echo "it is a mount point" >&2; exit 71
fi
case "$(lsattr -d "$2" 2>/dev/null | cut -d' ' -f1)" in *[ia]*) echo "it is immutable (lsattr)" >&2; exit 72 ;; esac
probe=".mayday_probe_$3"
rmdir "$probe" "$probe.renamed" 2>/dev/null
mkdir "$probe" && mv "$probe" "$probe.renamed" && rmdir "$probe.renamed"
"""


def rooms(inside: Inside, folders: Mapping[str, str]) -> dict[str, Room]:
    """The file systems of folders, by the names that they are given with."""
    out = checked(inside.script(_ROOMS, *folders.values()), "asking for free space")
    said = dict(zip(folders, (line.split() for line in out.splitlines()), strict=True))
    return {where: Room(device, int(kilobytes) * 1024) for where, (device, kilobytes) in said.items()}


def swappable(inside: Inside, leaf: str, run: str) -> str:
    """Why the live folder cannot be renamed within its parent; empty where it can."""
    done = inside.script(_PROBE, HOME, leaf, run)
    return "" if done.code == 0 else done.said() or f"exit code {done.code}"
