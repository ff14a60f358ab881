"""A server whose control file is damaged: its own WAL says which cluster it is, and it can be recovered."""

from __future__ import annotations

import pytest

from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.postgres.walheader import ClusterIdentity, Header, header_of, identity_of
from tests.support.worlds.company import SITE
from tests.support.worlds.planned import APPROVER, Company
from tests.support.worlds.wal import SYSTEM, wal_header

ONE, TWO = "000000010000000000000005", "000000020000000000000006"


def damaged(here: Company) -> None:
    here.world.dead = True
    here.world.control_damaged = "live"
    here.world.set_container(SITE.postgres, state="restarting")


def test_segments_tell_the_identity_and_the_timeline_that_was_written_last() -> None:
    assert identity_of({ONE: wal_header(ONE), TWO: wal_header(TWO)}) == ClusterIdentity(15, SYSTEM, 2, 16 << 20)


def test_a_recycled_segment_does_not_count_by_its_new_name() -> None:
    recycled = "000000030000000000000009"
    assert identity_of({ONE: wal_header(ONE), recycled: wal_header(ONE)}) == ClusterIdentity(15, SYSTEM, 1, 16 << 20)


def test_segments_that_disagree_or_say_nothing_tell_no_identity() -> None:
    assert identity_of({ONE: wal_header(ONE), TWO: wal_header(TWO, system="7711024105692490000")}) is None
    assert identity_of({ONE: wal_header(ONE, magic=0xD101)}) is None
    assert identity_of({ONE: bytes(40), TWO: wal_header(TWO)[:30], "notes": wal_header(ONE)}) is None


def test_a_damaged_control_file_does_not_keep_a_server_from_being_recovered(here: Company) -> None:
    damaged(here)
    here.ask("postgres pitr", "08:39:30")
    here.work()
    assert here.run().facts["server"]["system_identifier"] == SYSTEM
    asked = next(e for e in here.store.entries("r1") if e.kind is Kind.ASKED)
    assert "the identifier was read from the server's own WAL" in str(asked.data["sheets"])
    here.answer("Pause writers and restore")
    here.work()
    here.answer("Cut over", APPROVER, SITE.postgres)
    here.work()
    assert here.run().finished is Outcome.RECOVERED, here.run().failure
    assert here.world.messages() == set(range(1, 40))


def test_without_wal_that_tells_who_it_is_nothing_is_touched(here: Company) -> None:
    damaged(here)
    here.world.wal_lost = True
    here.ask("postgres pitr", "08:39:30")
    here.work()
    failure = here.run().failure
    assert failure is not None
    assert "control file of the live server is damaged" in failure.message
    assert "CRC" in failure.detail
    assert here.world.changes == ()


def test_a_header_that_is_not_whole_or_of_no_cluster_tells_nothing() -> None:
    whole = wal_header(ONE)
    assert header_of(whole) == Header(15, SYSTEM, 1, 16 << 20, 5 * (16 << 20))
    short_page, odd_size = whole[:2] + bytes(2) + whole[4:], whole[:32] + (12345).to_bytes(4, "little") + whole[36:]
    nobody = whole[:24] + bytes(8) + whole[32:]
    assert [header_of(data) for data in (short_page, odd_size, nobody)] == [None, None, None]


@pytest.mark.parametrize("name", ["000000010000000000000009", "000000020000000000000005", f"{ONE}.partial"])
def test_a_segment_counts_only_under_its_own_timeline_and_place(name: str) -> None:
    assert identity_of({ONE: wal_header(ONE)}) is not None
    assert identity_of({name: wal_header(ONE)}) is None
