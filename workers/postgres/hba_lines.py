"""Mayday's own line of a server's pg_hba.conf: before all others, below a comment that names the run that laid it."""

from __future__ import annotations

from actions.engine.errors import RecoveryError
from actions.postgres.primary_state import MADE
from workers.docker.exec import Inside

# The first rule that fits wins, so ours comes first: a line `reject` of others stands for others. A file that is
# mounted by itself cannot be renamed over, and is written in place.
_LAY = r"""
umask 077
[ -f "$1" ] || { echo "there is no $1" >&2; exit 1; }
if grep -qxF "$2" "$1"; then exit 0; fi
draft="$1.mayday.draft"
{ printf '%s\n%s\n' "$2" "$3"; cat "$1"; } >"$draft" && chmod --reference="$1" "$draft" || exit 1
mv "$draft" "$1" 2>/dev/null || { cat "$draft" >"$1" && rm -f "$draft"; }
"""
_WITHDRAW = r"""
umask 077
[ -f "$1" ] && grep -qxF "$2" "$1" || exit 0
draft="$1.mayday.draft"
mark=$2 awk 'skip { skip = 0; next } $0 == ENVIRON["mark"] { skip = 1; next } { print }' "$1" >"$draft" &&
    chmod --reference="$1" "$draft" || exit 1
mv "$draft" "$1" 2>/dev/null || { cat "$draft" >"$1" && rm -f "$draft"; }
"""


def lay(inside: Inside, hba_file: str, run: str, rule: str) -> None:
    """Put the rule first, once. `inside` is the server's container, as the user whom the server runs as.

    Raises:
        RecoveryError: the file cannot be written there.
    """
    done = inside.script(_LAY, hba_file, _mark(run), rule)
    if done.code != 0:
        raise _unwritable(hba_file, done.said(), f"put this line first: {rule}")


def withdraw(inside: Inside, hba_file: str, run: str) -> None:
    """Take the comment of the run and the rule below it out again.

    Raises:
        RecoveryError: the file cannot be written there.
    """
    done = inside.script(_WITHDRAW, hba_file, _mark(run))
    if done.code != 0:
        raise _unwritable(hba_file, done.said(), f"take the line below '{_mark(run)}' out.")


def _mark(run: str) -> str:
    return f"# {MADE}{run}"


def _unwritable(hba_file: str, said: str, do: str) -> RecoveryError:
    return RecoveryError(
        f"{hba_file} could not be written in the server's container.",
        code="MD-REP-031",
        detail=said,
        hint=f"Let the server's user write it; or do it by hand, then Retry: {do}",
    )
