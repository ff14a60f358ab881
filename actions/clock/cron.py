"""When a schedule is due: the five fields of cron in a named zone, read as Debian's cron does where clocks change.

A time that the clocks skip (02:30 in March) is due right after the gap, once. One that comes twice (02:30 in October)
is due the first time alone. What is due each hour, or every so many minutes, is due in real time through both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError


@dataclass(frozen=True)
class CronExpression:
    """An expression and its zone, both readable: `of` sees to that."""

    text: str
    zone: str = "UTC"

    @classmethod
    def of(cls, text: str, zone: str = "UTC") -> CronExpression:
        """Read it.

        Raises:
            ValueError: it is no expression, is never due, or there is no such zone.
        """
        made = cls(" ".join(text.split()), zone)
        try:
            if len(text.split()) != 5:
                raise CronSimError("it has five fields")
            next(made._from(datetime(2024, 1, 1, tzinfo=UTC), backwards=False))
        except CronSimError as wrong:
            raise ValueError(
                f"'{text[:60]}' is no cron expression ({str(wrong)[:80]}); write minute hour day month weekday, "
                "for example 0 1 * * *"
            ) from None
        except StopIteration:
            raise ValueError(f"'{text[:60]}' is never due; look at its day and its month") from None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"'{zone[:60]}' is no time zone; write for example Europe/Berlin") from None
        return made

    def after(self, moment: datetime) -> datetime:
        """The first due time later than that, in UTC."""
        return next(self._from(moment, backwards=False))

    def latest(self, until: datetime, after: datetime) -> Iterator[datetime]:
        """The due times later than `after` and not later than `until`, in UTC, the newest first."""
        for due in self._from(until, backwards=True):
            if due <= after:
                return
            yield due

    def _from(self, moment: datetime, *, backwards: bool) -> Iterator[datetime]:
        # Backwards it gives what lies before; the second itself counts, too.
        start = datetime.fromtimestamp(int(moment.timestamp()) + backwards, UTC).astimezone(ZoneInfo(self.zone))
        for due in CronSim(self.text, start, reverse=backwards):
            yield due.astimezone(UTC)
