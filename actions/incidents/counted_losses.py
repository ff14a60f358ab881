"""What was lost, as Mayday counted it: rows that vanished between two looks, and the moment until which they stood.

Tables that lost rows between the same two looks are one loss: one recovery brings all of them back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from actions.stack.stack import ServiceKind, Stack
from actions.store.store import Store
from actions.watch import row_counts
from actions.watch.row_counts import RowLoss

LABEL = 75
"""What Slack takes on a button; a table's name gives way, so that the moment stays whole."""
LAG = timedelta(seconds=10)
"""A server's statistics may be so old: what a look still counted was certainly there so much earlier (PostgreSQL 13 to
18, PGSTAT_IDLE_INTERVAL)."""


@dataclass(frozen=True)
class CountedLoss:
    """The losses of one look at a service, the largest first."""

    site: str
    service: str
    tables: tuple[RowLoss, ...]

    @property
    def at(self) -> datetime:
        """When it was seen."""
        return self.tables[0].at

    @property
    def since(self) -> datetime | None:
        """The look before; None where an earlier version of Mayday looked, which did not note it."""
        return self.tables[0].since

    @property
    def before(self) -> datetime | None:
        """The newest moment at which the rows were certainly there, to the second."""
        return (self.since - LAG).replace(microsecond=0) if self.since is not None else None

    def label(self) -> str:
        """As a button says it: Before 921 rows vanished from nchat_messages (13:21:48 UTC)."""
        first, *rest = self.tables
        more = f" and {len(rest)} more" if rest else ""
        when = f" ({self.before:%H:%M:%S} UTC)" if self.before else ""
        said, table = f"Before {first.before - first.now:,} rows vanished from ", plain(first.table)
        room = LABEL - len(said) - len(more) - len(when)
        return f"{said}{table if len(table) <= room else table[: room - 1] + '…'}{more}{when}"

    def says(self) -> str:
        """In a sentence, with both looks."""
        gone = ((one.before - one.now, one.before, plain(one.table)) for one in self.tables)
        told = ", ".join(f"{many:,} of {had:,} rows of {table}" for many, had, table in gone)
        seen = f"gone at {self.at:%H:%M:%S} UTC"
        return f"{told}: there at {self.since:%H:%M:%S}, {seen}" if self.since else f"{told}: {seen}"


def plain(table: str) -> str:
    """A table as people call it."""
    return table.removeprefix("public.")


def counted(store: Store, stack: Stack) -> list[CountedLoss]:
    """What vanished lately from any PostgreSQL of the stack, the newest first."""
    found = [
        CountedLoss(site, service, tables)
        for site, service in _servers(stack)
        for tables in _of_one_look(row_counts.lost(store, site, [service]))
    ]
    return sorted(found, key=lambda loss: loss.at, reverse=True)


def last_look(store: Store, stack: Stack) -> datetime | None:
    """The oldest of the last looks at each PostgreSQL; None where one was never looked at."""
    looks = [row_counts.looked_at(store, site, service) for site, service in _servers(stack)]
    return min((at for at in looks if at is not None), default=None) if None not in looks else None


def _servers(stack: Stack) -> Iterable[tuple[str, str]]:
    return ((site.name, one.name) for site in stack for one in site.of_kind(ServiceKind.POSTGRES))


def _of_one_look(losses: Iterable[RowLoss]) -> Iterable[tuple[RowLoss, ...]]:
    for _at, together in groupby(losses, key=lambda loss: loss.at):
        yield tuple(sorted(together, key=lambda loss: loss.now - loss.before))
