"""How much a live server writes just now: its counter of transactions, read twice, and rows for each as in its WAL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.wording import counted

COUNTER = (
    "select json_build_object('xid', pg_snapshot_xmax(pg_current_snapshot())::text, "
    "'at', extract(epoch from clock_timestamp()))"
)
"""The next transaction that writes, and the server's own time. The counters of pg_stat_database lag behind by a second
and more (PGSTAT_MIN_INTERVAL in src/backend/utils/activity/pgstat.c), this one by nothing."""

_LEAST_SECONDS = 0.2


def transactions_a_second(first: Mapping[str, Any], second: Mapping[str, Any]) -> float | None:
    """Between two looks at the counter; None where one is missing, or they came too close to tell."""
    if not first or not second:
        return None
    took = float(second["at"]) - float(first["at"])
    if took < _LEAST_SECONDS:
        return None
    return max(0, int(second["xid"]) - int(first["xid"])) / took


def until_they_stop(transactions: float | None, rows: int, commits: int) -> str:
    """What is to be added to a count of now, until the writers stop: at what rate they write.

    `rows` and `commits` are those that were counted so far, from which comes how many rows a transaction has.
    """
    if transactions is None:
        return "and what is written until then; how much is not known"
    if not transactions:
        return "and what is written until then; nothing was written just now"
    each, what = (rows / commits, "row") if commits and rows else (1.0, "transaction")
    return f"and what is written until then, about {rate_words(transactions * each, what)} now"


def rate_words(rate: float, what: str) -> str:
    """For example: 8 rows a second; 12 rows a minute."""
    for seconds, span in ((1, "a second"), (60, "a minute"), (3600, "an hour")):
        if round(rate * seconds) >= 1:
            return f"{counted(round(rate * seconds), what)} {span}"
    return f"less than 1 {what} an hour"
