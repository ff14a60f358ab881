"""The same of many databases in one command: each gets its own psql, since that costs 20 ms and a command 100.

A database's name reaches the shell as a connection URI whose bytes are all percent-encoded
(https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS), so it holds no character that
means anything to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from actions.tools.sql import Asked
from workers.docker.exec import shell
from workers.postgres.sql_session import LEAST_SECONDS, SessionAnswer, last_words, session_answers, session_script

# What people may have set for a role, a database or the server must not change what a query means or how a value
# looks as text: settings that come with the connection win over all of those.
PINNED = (
    "DateStyle=ISO,YMD",
    "TimeZone=UTC",
    "IntervalStyle=postgres",
    "bytea_output=hex",
    "extra_float_digits=1",
    "lc_monetary=C",
    "xmlbinary=base64",
    "quote_all_identifiers=off",
    "standard_conforming_strings=on",
    # Not default_transaction_read_only: whether others may write has to be seen.
    "default_transaction_isolation=read\\ committed",
    "role=none",
    'search_path="$user",public',
    "idle_in_transaction_session_timeout=0",
    "jit=off",
    "client_min_messages=error",
)
# Rows that a policy hides are an error then, not rows that are not there; nobody waits long for another's lock.
EVERYWHERE = ("row_security=off", "lock_timeout=3000")
BARE = ("search_path=",)
_OVERHEAD = 1.0
# One argument may have 128 kB, all of a command together a few MB.
_LONGEST_SCRIPT, _LONGEST_COMMAND, _AROUND_A_QUERY = 100_000, 1_000_000, 400
_ONE = r"""
exec 3>&1
mark=$1 until=$(( $(date +%s) * 1000 + $2 )); shift 2
one() {
    err=$(printf '%s' "$2" | psql -X -q -A -t -w -v VERBOSITY=verbose -v "mayday_until=$until" -d "$1" -f - 2>&1 >&3)
    code=$?
    printf '\n%s.of %s %s\n%s\n%s.end\n' "$mark" "$code" "$1" "$(printf '%s' "$err" | tail -c 2000)" "$mark"
}
"""
_EACH = (
    _ONE
    + r"""
while [ $# -gt 1 ]; do one "$1" "$2"; shift 2; done
"""
)
_ALL = (
    _ONE
    + r"""
site=$1 list=$2 script=$3 names=
for first in "$site" postgres:///postgres postgres:///template1; do
    names=$(psql -X -q -A -t -w -d "$first" -c "$list") && [ -n "$names" ] && break
done
[ -n "$names" ] || exit 2
printf '%s.all %s\n' "$mark" "$(printf '%s ' $names)"
for name in $names; do one "$name" "$script"; done
"""
)
_LIST = (
    "SELECT 'postgres:///' || regexp_replace(encode(convert_to(datname::text, getdatabaseencoding()), 'hex'), "
    "'(..)', '%\\1', 'g') FROM pg_database WHERE datallowconn ORDER BY oid"
)
_ENDED = re.compile(r"\A(?P<code>\d+) (?P<uri>\S+)\n(?P<err>.*)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """What one database's psql printed: answers, and how it ended. Without a code it was never begun."""

    said: tuple[SessionAnswer, ...] = ()
    code: int | None = None
    connected: bool = False
    err: str = ""


def everywhere_script(asked: Asked, database: str, seconds: float, mark: str) -> list[str]:
    """The command line; the user comes in PGUSER."""
    limit = str(math.ceil((seconds + _OVERHEAD) * 1000))
    if isinstance(asked, Mapping):
        pairs = [part for name in asked for part in (_uri(name), session_script(asked[name], None, mark))]
        return shell(_EACH, mark, limit, *pairs)
    return shell(_ALL, mark, limit, _uri(database), _LIST, session_script(asked, None, mark))


def longest_wait(asked: Asked, seconds: float) -> float:
    """How long the whole command may take: queries that come late are asked all the same, for an instant each."""
    queries = sum(map(len, asked.values())) if isinstance(asked, Mapping) else len(asked) * 4
    return seconds + min(LEAST_SECONDS * queries, seconds) + 10


def blocks_of(printed: str, mark: str) -> dict[str, Block]:
    """By database, in their order; those that the time did not suffice for are empty."""
    head, *rest = f"\n{printed}".split(f"\n{mark}.of ")
    listed = head.partition(f"{mark}.all ")[2].partition("\n")
    found = {_name(uri): Block() for uri in listed[0].split()}
    text = listed[2] if listed[0] else head
    for part in rest:
        ended, _, following = part.partition(f"\n{mark}.end")
        if match := _ENDED.fullmatch(ended):
            found[_name(match["uri"])] = _block(text, match, mark)
        text = following
    return found


def _block(text: str, match: re.Match[str], mark: str) -> Block:
    said = tuple(session_answers(text.strip("\n"), mark))
    err = match["err"]
    return Block(said, int(match["code"]), mark in err or bool(said), last_words(err, mark))


def _uri(name: str) -> str:
    return "postgres:///" + "".join(f"%{byte:02x}" for byte in name.encode())


def _name(uri: str) -> str:
    return unquote(uri.removeprefix("postgres:///"), errors="replace")


def one_command_each(asked: Asked) -> Iterator[Asked | tuple[str, Sequence[str]]]:
    """As much at a time as one command takes; a database whose script is too long for an argument comes alone."""
    if not isinstance(asked, Mapping):
        yield list(asked)
        return
    some: dict[str, Sequence[str]] = {}
    room = _LONGEST_COMMAND
    for name, queries in asked.items():
        size = sum(len(query.encode()) + _AROUND_A_QUERY for query in queries)
        if size > _LONGEST_SCRIPT:
            yield name, queries
            continue
        if size > room:
            yield some
            some, room = {}, _LONGEST_COMMAND
        some[name], room = queries, room - size
    if some:
        yield some
