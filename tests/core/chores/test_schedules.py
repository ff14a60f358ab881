"""Each due time opens one run, whoever looks and whatever the clock does; what was missed is kept; on every store."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from actions.chores.schedules import MOST, Missed, Schedule, Ticker
from actions.clock.cron import CronExpression
from actions.control.requests import Subject, open_run
from actions.engine.due_times import DueTime
from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Procedure
from actions.store.store import Store
from tests.core.store.test_store import ON_ALL, ON_BOTH, clock, server, store, url  # noqa: F401
from tests.support.bot_world import store_in
from tests.support.worlds.clock import Clock
from tests.support.worlds.family import OLGA, PAINT, Painting

HOURLY, DAY = "0 * * * *", timedelta(days=1)
START = datetime(2026, 2, 9, 12, 30, tzinfo=UTC)
FREE = replace(PAINT, claims=False)


@dataclass
class Clockwork:
    """A schedule, the workers that look at it, and the runs that they open."""

    store: Any
    clock: Clock
    schedule: Schedule = field(init=False)
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock.now = START
        self.of(HOURLY)

    def of(self, cron: str, zone: str = "UTC", procedure: Procedure = FREE, **more: Any) -> Clockwork:
        when, subject = CronExpression.of(cron, zone), Subject("main", "house")
        self.schedule = Schedule("nightly", when, procedure, lambda now: Painting(("hall",)), subject, **more)
        self.ticker = Ticker(self.store, [self.schedule])
        return self

    def at(self, *moments: datetime) -> Clockwork:
        for moment in moments:
            self.clock.now = moment
            self.opened += self.ticker.tick()
        return self

    def end(self) -> Clockwork:
        """All runs end."""
        for run in self.store.runs(open_only=True):
            self.store.append(self.store.acquire(run, "w"), Kind.FINISHED, None, {"outcome": "done"})
        return self

    def dues(self) -> list[str]:
        """The due times for which runs were opened, as their journals tell it."""
        return [str(self.store.run(run).origin["due"]) for run in self.opened]

    def passed(self) -> list[tuple[datetime, str]]:
        taken = self.store.taken(START - 999 * DAY)
        return [(one.due.at, one.due.why) for one in taken if not one.run]


@pytest.fixture
def work(store: Any, clock: Clock) -> Clockwork:  # noqa: F811
    return Clockwork(store, clock)


def hour(n: int, minute: int = 0, second: int = 0) -> datetime:
    return START.replace(hour=n, minute=minute, second=second)


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_due_time_opens_one_run_and_what_lay_before_the_schedule_none(work: Clockwork) -> None:
    work.at(START, hour(12, 59, 59))
    assert work.opened == []
    work.at(hour(13), hour(13, 0, 5)).end().at(hour(13, 59), hour(14, 0, 3)).end().at(hour(14, 1))
    assert work.dues() == [hour(13).isoformat(), hour(14).isoformat()]
    told = work.store.entries(work.opened[0])[0].data
    assert (told["by"], told["name"], told["origin"]["schedule"]) == ("mayday", "schedule nightly", "nightly")
    assert work.passed() == []


@pytest.mark.parametrize("kind", ON_ALL)
def test_of_those_that_look_at_the_same_moment_one_opens_the_run(work: Clockwork) -> None:
    work.at(START)
    other = Ticker(work.store, [work.schedule])
    work.at(hour(13))
    assert (len(work.opened), other.tick(), work.ticker.tick()) == (1, [], [])


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_clock_that_is_set_back_opens_nothing_again_however_far_and_however_long_after(work: Clockwork) -> None:
    work.at(START, hour(13)).end().at(hour(14)).end()
    work.at(hour(12, 40), hour(13), hour(13, 30)).end().at(hour(14), hour(14, 1))
    assert len(work.opened) == 2
    # Days later nobody remembers the delivery keys; the due times are remembered.
    if isinstance(work.store, Store):
        work.store.forget("inbox", START + 30 * DAY)
    work.at(hour(13), hour(14), hour(15))
    assert work.dues() == [hour(n).isoformat() for n in (13, 14, 15)]


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_clock_that_was_wrong_for_a_while_keeps_nothing_from_being_done_once_it_is_right(work: Clockwork) -> None:
    work.at(START, START + 365 * DAY).end()
    assert len(work.opened) == 1
    work.at(hour(13)).end().at(hour(14)).end()
    assert work.dues()[1:] == [hour(13).isoformat(), hour(14).isoformat()]


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_schedule_that_was_first_seen_by_a_wrong_clock_begins_once_it_is_right(work: Clockwork) -> None:
    work.at(START + 365 * DAY, START, hour(13))
    assert work.dues() == [hour(13).isoformat()]


@pytest.mark.parametrize("kind", ON_ALL)
def test_what_nobody_looked_at_is_run_late_once_for_the_newest_and_the_others_are_told_of(work: Clockwork) -> None:
    work.at(START, hour(16, 30))
    assert work.dues() == [hour(16).isoformat()]
    [late] = work.opened
    assert work.store.run(late).origin["late"] == "30 min late"
    assert work.passed() == [(hour(n), "nobody looked; a later one took its place") for n in (13, 14, 15)]
    work.end().at(hour(16, 31))
    assert len(work.opened) == 1


@pytest.mark.parametrize("kind", ON_ALL)
def test_what_nobody_looked_at_is_passed_over_where_the_schedule_says_so(work: Clockwork) -> None:
    work.of(HOURLY, missed=Missed.SKIP).at(START, hour(15, 30))
    assert work.opened == []
    assert work.passed() == [(hour(n), "nobody looked") for n in (13, 14, 15)]
    work.at(hour(16, 0, 4))
    assert work.dues() == [hour(16).isoformat()]


@pytest.mark.parametrize("kind", ON_ALL)
def test_with_one_that_is_on_time_none_is_run_late_beside_it(work: Clockwork) -> None:
    work.at(START, hour(15, 1))
    assert work.dues() == [hour(15).isoformat()]
    assert work.store.run(work.opened[0]).origin["late"] == ""
    assert [at for at, _why in work.passed()] == [hour(13), hour(14)]


@pytest.mark.parametrize("kind", ON_ALL)
def test_one_that_still_runs_is_waited_for_and_then_the_schedule_says_what_becomes_of_the_next(work: Clockwork) -> None:
    work.of(HOURLY, missed=Missed.SKIP).at(START, hour(13), hour(14), hour(14, 4))
    assert len(work.opened) == 1
    work.end().at(hour(14, 4, 30)).at(hour(15), hour(15, 6))
    assert work.dues() == [hour(13).isoformat(), hour(14).isoformat()]
    [(at, why)] = work.passed()
    assert at == hour(15)
    assert why == f"it could not begin: Run {work.opened[1]} of the due time before has not ended."
    work.end().at(hour(16))
    assert work.dues()[-1] == hour(16).isoformat()


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_service_that_is_held_is_waited_for_and_begun_late_once_it_is_free(work: Clockwork) -> None:
    work.of("0 13 * * *", procedure=PAINT).at(START)
    by = {"by": OLGA, "subject": Subject("main", "house"), "origin": {}}
    open_run(work.store, PAINT, Painting(("hall",)), key="a person", **by)
    work.at(hour(13), hour(13, 4), hour(14), hour(15))
    assert work.opened == []
    assert work.passed() == []
    work.end().at(hour(15, 0, 5))
    assert work.store.run(work.opened[0]).origin["late"] == "2 h late"


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_due_time_that_could_not_be_begun_is_no_longer_once_the_next_one_is(work: Clockwork) -> None:
    work.of(HOURLY).at(START, hour(13), hour(14), hour(14, 10))
    work.end().at(hour(15, 0, 1))
    assert work.dues() == [hour(13).isoformat(), hour(15).isoformat()]
    [(at, why)] = work.passed()
    assert at == hour(14)
    assert why.startswith("it could not begin: Run")
    assert why.endswith("; a later one took its place")


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_schedule_that_was_changed_begins_anew(work: Clockwork) -> None:
    work.at(START)
    work.of("*/10 * * * *").at(hour(14, 5), hour(14, 10, 1))
    assert work.dues() == [hour(14, 10).isoformat()]
    assert work.passed() == []


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_long_absence_is_kept_as_far_as_people_read(work: Clockwork) -> None:
    work.of("* * * * *", grace=timedelta(seconds=30)).at(START, START + 30 * DAY + timedelta(seconds=40))
    assert len(work.opened) == 1
    assert len(work.passed()) == MOST - 1


@pytest.mark.parametrize("kind", ["memory"])
def test_one_that_cannot_be_asked_for_keeps_no_other_from_it_and_is_told_of(work: Clockwork) -> None:
    def unreadable(_now: datetime) -> Any:
        raise Refused("That is no time.", hint="Write 14:30.")

    bad = replace(work.schedule, name="bad", request=unreadable)
    work.ticker = Ticker(work.store, [bad, work.schedule])
    work.at(START)
    work.clock.now = hour(13)
    with pytest.raises(Refused, match="no time"):
        work.ticker.tick()
    assert [work.store.run(run).origin["schedule"] for run in work.store.runs()] == ["nightly"]


@pytest.mark.parametrize("kind", ON_ALL)
@pytest.mark.parametrize(
    ("cron", "first", "last", "expected"),
    [
        # 02:30 does not exist on 29 March, and comes twice on 25 October.
        ("30 2 * * *", (2026, 3, 28), (2026, 3, 31), ["28 02:30", "29 03:00", "30 02:30"]),
        ("30 2 * * *", (2026, 10, 24), (2026, 10, 27), ["24 02:30", "25 02:30", "26 02:30"]),
        ("30 1-3 * * *", (2026, 3, 29), (2026, 3, 30), ["29 01:30", "29 03:00", "29 03:30"]),
    ],
)
def test_a_night_in_which_clocks_change_has_each_due_time_once(
    work: Clockwork, cron: str, first: tuple[int, int, int], last: tuple[int, int, int], expected: list[str]
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now, end = (datetime(*day, tzinfo=berlin).astimezone(UTC) for day in (first, last))
    work.of(cron, "Europe/Berlin")
    while now < end:
        work.at(now).end()
        now += timedelta(minutes=4)
    seen = [f"{datetime.fromisoformat(due).astimezone(berlin):%d %H:%M}" for due in work.dues()]
    assert seen == expected


def test_what_is_due_each_hour_is_due_in_real_time_through_both_nights() -> None:
    hourly = CronExpression.of(HOURLY, "Europe/Berlin")
    for night in (datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)):
        dues = sorted(hourly.latest(night + timedelta(hours=8), night))
        assert dues == [night + timedelta(hours=n) for n in range(1, 9)]


@pytest.mark.parametrize(
    ("text", "zone", "why"),
    [
        ("a b c d e", "UTC", "no cron expression"),
        ("* * * * * *", "UTC", "no cron expression"),
        ("", "UTC", "no cron expression"),
        ("0 0 30 2 *", "UTC", "cron expression|never due"),
        ("0 1 * * *", "Mars/Olympus", "no time zone"),
        ("0 1 * * *", "../../etc/passwd", "no time zone"),
        ("0 1 * * *", "America", "no time zone"),
    ],
)
def test_an_expression_that_cannot_be_meant_is_refused_with_what_to_write(text: str, zone: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        CronExpression.of(text, zone)


@pytest.mark.parametrize("kind", ON_BOTH)
@pytest.mark.parametrize("many", [50, pytest.param(1000, marks=pytest.mark.deep)])
def test_two_that_tick_side_by_side_over_many_due_times_take_each_once_and_lose_none(
    store: Store,  # noqa: F811
    clock: Clock,  # noqa: F811
    many: int,
) -> None:
    opened, turn = list[str](), threading.Barrier(2, timeout=60)
    work = Clockwork(store, clock).of("* * * * *")
    work.at(START)

    def tick(ticker: Ticker) -> None:
        for n in range(1, many + 1):
            if turn.wait() == 0:
                work.end()
                clock.now = START + timedelta(minutes=n)
            turn.wait()
            opened.extend(ticker.tick())

    threads = [threading.Thread(target=tick, args=(Ticker(store, [work.schedule]),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(500)
    dues = [datetime.fromisoformat(str(store.run(run).origin["due"])) for run in opened]
    assert dues == [START + timedelta(minutes=n) for n in range(1, many + 1)]
    assert work.passed() == []


@pytest.mark.parametrize("kind", ON_ALL)
def test_a_due_time_is_taken_once_for_a_run_or_passed_over(store: Any, clock: Clock) -> None:  # noqa: F811
    due = DueTime("s", START, "late")
    asks = {"by": OLGA, "subject": Subject("main", "house"), "origin": {}, "due": due}
    one = open_run(store, FREE, Painting(("a",)), key="k1", **asks)
    other = open_run(store, FREE, Painting(("a",)), key="k2", **asks)
    assert (one.new, other.new, other.id) == (True, False, one.id)
    assert not store.pass_over(due)
    assert store.pass_over(replace(due, at=START + DAY))
    assert not open_run(store, FREE, Painting(("a",)), key="k3", **{**asks, "due": replace(due, at=START + DAY)}).new
    assert store.last_due("s", START + DAY - timedelta(seconds=1)) == START
    assert (store.last_run_of("s"), store.last_run_of("t"), store.last_due("t", START)) == (one.id, "", None)
    assert store.runs() == [one.id]


@pytest.mark.parametrize("kind", ON_BOTH)
def test_a_store_of_before_learns_of_lenders_and_due_times_and_keeps_its_claims(url: str, clock: Clock) -> None:  # noqa: F811
    old = Store(url, clock)
    made = open_run(old, PAINT, Painting(("a",)), by=OLGA, subject=Subject("main", "house"), origin={}, key="k")
    with old.transaction() as tx:
        tx._db.execute(sa.text("ALTER TABLE claims DROP COLUMN lenders"))
        tx._db.execute(sa.text("DROP TABLE due_times"))
    old.dispose()
    store = Store(url, clock)  # noqa: F811
    assert [(claim.run, claim.service, claim.lenders) for claim in store.claims("main")] == [(made.id, "house", ())]
    assert store.taken(START - 999 * DAY) == []
    again = Store(url, clock)
    assert again.holder("house") == made.id
    store.dispose()
    again.dispose()


def test_stores_that_are_opened_side_by_side_are_brought_up_to_date_once(memory_path: Any) -> None:
    old = store_in(memory_path, Clock())
    with old.transaction() as tx:
        tx._db.execute(sa.text("ALTER TABLE claims DROP COLUMN lenders"))
    old.dispose()
    begin, made = threading.Barrier(4, timeout=30), list[Store]()

    def open_it() -> None:
        begin.wait()
        made.append(store_in(memory_path, Clock()))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [one.claims("main") for one in made] == [[]] * 4
    for one in made:
        one.dispose()
