"""More guard clauses in worlds that lie: the disk, the rows that count, the writers, Docker away, Slack's doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from actions.engine.errors import Away, Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Act, Outcome
from actions.postgres.lost_rows import Losses, RowCounts
from actions.steps import writers
from actions.steps.postgres import count_losses
from actions.tools.docker import Container
from tests.core.steps.test_disk_space import GB, Disks, measure
from tests.core.workers.test_step_guard import Absence, Doors, away, begun
from tests.support.bot_world import office_in
from tests.support.worlds.company import LEAF, SITE, WRITERS
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.lies import KEEP, PAUSE, LyingFiles, called, previewed
from tests.support.worlds.planned import APPROVER, Company
from tests.support.worlds.toys import PAINT, House


def test_room_for_a_tenth_more_and_64_mb_is_needed_to_the_byte() -> None:
    needed = int(12 * GB * 1.1) + (64 << 20)
    assert measure(Disks(needed)).free == needed
    with pytest.raises(Refused, match="not enough room"):
        measure(Disks(needed - 1))


def test_rows_of_the_catalogue_are_no_rows_of_people(here: Company) -> None:
    preview = previewed(here)
    people, catalogue = RowCounts("1663/16384/16412", 1, 2, 3), RowCounts("1663/16384/1259", 100, 0, 0)
    assert count_losses.rows_in(Losses(rows=(people, catalogue))) == 6
    honest = called(preview, count_losses.count_losses)
    more = called(preview, count_losses.count_losses, files=LyingFiles(preview, "rel\t1663/16384/1259\t100\t0\t0\n"))
    assert (more.rows, more.tables) == (honest.rows, honest.tables)
    assert honest.rows > 0


@pytest.mark.parametrize("mode", [PAUSE, KEEP])
def test_whom_people_had_paused_stays_paused_when_a_pause_is_taken_back(here: Company, mode: str) -> None:
    here.world.set_container("nself-auth", state="paused")
    previewed(here, mode=mode)
    here.world.refuses = "pg_current_xact_id"
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().failure is not None
    here.undo()
    here.work()
    assert here.run().finished is Outcome.UNDONE
    assert here.world.dirs[LEAF].id == "live"
    assert {name: here.world.containers[name].state for name in WRITERS} == dict.fromkeys(WRITERS, "running") | {
        "nself-auth": "paused"
    }


class StuckOver(WorldDocker):
    """Docker, which hangs over some containers; what is asked of the others it does."""

    def __init__(self, here: Company, *names: str) -> None:
        super().__init__(here.world)
        self._names = names

    def find(self, name: str) -> Container | None:
        if name in self._names:
            raise Away(f"Docker did not answer while looking at {name}.", hint="docker info")
        return super().find(name)


@pytest.mark.parametrize("way", [writers.resume, writers.let_go_on])
@pytest.mark.parametrize("stuck", WRITERS)
def test_a_writer_over_which_docker_hangs_does_not_keep_the_others_paused(
    here: Company, stuck: str, way: Callable[..., None]
) -> None:
    previewed(here)
    with pytest.raises(Away, match=f"looking at {stuck}"):
        called(here, way, docker=StuckOver(here, stuck))
    assert {name: here.world.containers[name].state for name in WRITERS} == dict.fromkeys(WRITERS, "running") | {
        stuck: "paused"
    }


@pytest.mark.parametrize("way", [writers.resume, writers.let_go_on])
def test_of_several_writers_that_do_not_go_on_the_first_is_named(here: Company, way: Callable[..., None]) -> None:
    """The others may be in trouble for its sake alone."""
    previewed(here)
    first, _, last = WRITERS
    with pytest.raises(Away, match=f"looking at {first}"):
        called(here, way, docker=StuckOver(here, first, last))


def test_docker_away_while_a_resumed_act_is_looked_at_does_not_have_it_done_again() -> None:
    """The work was done before Docker went, and Docker goes again before anybody could see that."""
    blind = [True, True]

    def seen(colour: str, house: House) -> bool:
        if blind:
            blind.pop()
            raise away()
        return house.paint == colour

    act = PAINT.steps[3]
    assert isinstance(act, Act)
    house = Absence(absent={"paint": 1}, painted_unseen=True)
    yard = Doors(replace(PAINT, steps=(*PAINT.steps[:3], replace(act, verify=seen), *PAINT.steps[4:])), house)
    yard.ask()
    assert begun(yard).patient() == "asking"
    assert (blind, house.paint, house.did.count("paint")) == ([], "red", 1)
    assert Kind.FAILED not in yard.kinds()


@pytest.mark.parametrize(("code", "may_ask"), [("internal_error", True), ("invalid_auth", False)])
def test_whom_slack_does_not_vouch_for_now_is_no_approver_though_the_group_says_so(code: str, may_ask: bool) -> None:
    """The group is read anew and has the name; whether that is still a member and no guest cannot be told."""
    office = office_in()
    office.bot.people.warm()
    assert office.bot.people.approving("U0DBA", "T1").speaker.may_approve
    office.directory.says["U0DBA"] = code
    assert not office.bot.people.approving("U0DBA", "T1").speaker.may_approve
    office.clock.on(365 * 24 * 3600)
    found = office.bot.people.approving("U0DBA", "T1").speaker
    assert (found.may_ask, found.may_approve) == (may_ask, False)


def test_rows_that_there_was_no_time_to_count_are_not_counted_as_none(here: Company) -> None:
    preview = previewed(here)
    assert called(preview, count_losses.count_in_wal) is not None
    files = LyingFiles(preview)
    files.losses = lambda *about, **more: ""  # type: ignore[method-assign]
    assert called(preview, count_losses.count_in_wal, files=files) is None
