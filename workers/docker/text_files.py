"""Small text files on the Docker host, written whole or not at all."""

from __future__ import annotations

import uuid

from workers.docker.exec import Inside
from workers.docker.helper import checked

# One argument may have 128 kB; in UTF-8 a character may take four bytes.
_PIECE = 30_000
_ADD = r"""umask 077; printf '%s' "$2" >>"$1" """
# The owner is that of a file or folder given as the model.
_FINISH = r"""
umask 077
printf '%s' "$2" >>"$1" && chmod "$3" "$1" && chown "$(stat -c %u:%g "$5")" "$1" || exit 1
sync "$1" 2>/dev/null || sync
mv "$1" "$4" || exit 1
sync "$(dirname "$4")" 2>/dev/null || true
"""


def put_text(inside: Inside, path: str, text: str, *, mode: str = "0644", like: str = "") -> None:
    """Write a file; it belongs to the owner of `like`, else of its folder."""
    draft, pieces = (
        f"{path}.{uuid.uuid4().hex[:8]}.draft",
        [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)] or [""],
    )
    doing = f"writing {path.rpartition('/')[2]}"
    for piece in pieces[:-1]:
        checked(inside.script(_ADD, draft, piece), doing)
    checked(inside.script(_FINISH, draft, pieces[-1], mode, path, like or path.rpartition("/")[0]), doing)
