"""Several queries in one session of psql: the script that asks them, and the answers in what it prints.

Each query gives one JSON value. One that fails does not keep the next from being asked, and all of them share one
limit. psql keeps the state of the last query in its variables SQLSTATE and LAST_ERROR_MESSAGE since version 11
(https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-VARIABLES), and speaks to stderr since version 13.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CANCELED = "57014"  # query_canceled: what statement_timeout raises.

_DONE = "00000"
# A query that comes when the time is over is not left out: it may need none.
LEAST_SECONDS = 0.5

_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_BEGIN = "SELECT {now} + {milliseconds} AS mayday_until \\gset\n"
_ASK = (
    "SELECT set_config('statement_timeout', greatest({least}, :mayday_until - {now})::text, false) AS mayday_limit "
    "\\gset\n{query}\n;\n\\echo {mark} :SQLSTATE :LAST_ERROR_MESSAGE\n\\echo {mark}\n\\warn {mark}\n"
)


@dataclass(frozen=True)
class SessionAnswer:
    """What the server said to one query: text, or the SQLSTATE and the message of its error."""

    text: str
    state: str = ""
    message: str = ""


def session_script(queries: Sequence[str], seconds: float | None, mark: str) -> str:
    """The script for psql; `mark` is a word that no answer holds.

    Without seconds the variable mayday_until comes from outside: a moment, in milliseconds of the epoch. That psql
    got so far as to warn of the mark says that it is connected.
    """
    least = round(LEAST_SECONDS * 1000)
    begin = "" if seconds is None else _BEGIN.format(now=_NOW, milliseconds=round(seconds * 1000))
    return f"{begin}\\warn {mark}\n" + "".join(
        _ASK.format(now=_NOW, least=least, query=query, mark=mark) for query in queries
    )


def last_words(warned: str, mark: str) -> str:
    """Of what psql printed as errors, that which is about the query at which the session ended."""
    return warned.rpartition(f"{mark}\n")[2]


def session_answers(printed: str, mark: str) -> Iterator[SessionAnswer]:
    """The answers in their order. Where the connection was lost, they end before the query at which it was."""
    # Between two values psql prints: mark, state and message; mark. A message may have several lines.
    parts = f"\n{printed}".split(f"\n{mark}")
    for text, ended in zip(parts[0:-1:2], parts[1::2], strict=False):
        state, _, message = ended.strip().partition(" ")
        yield SessionAnswer(text.strip()) if state == _DONE else SessionAnswer("", state, message.strip())
