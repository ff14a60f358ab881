"""Whether a primary is dead: by two observers that agree for long enough, never by one, and never by not looking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.watch.replication_health import ClusterMembers, ClusterState, judge
from tests.support.probes import (
    BLIND,
    DEAF,
    EXITED,
    FOLLOWS,
    GONE,
    HANGS,
    PAUSED,
    PRIMARY,
    REFUSES,
    SECOND,
    SILENT_LINK,
    STANDBY,
    WRITES,
    Seen,
    WatchedCluster,
    primary,
    standby,
)

S = ClusterState
SILENT = (EXITED, GONE, PAUSED, HANGS)
DEAF_ONES = (DEAF, SILENT_LINK)


@pytest.fixture
def cluster() -> WatchedCluster:
    made = WatchedCluster()
    assert made.sees(4, db=WRITES, copy=FOLLOWS).state is S.READY
    return made


@pytest.mark.parametrize("silent", SILENT)
@pytest.mark.parametrize("deaf", DEAF_ONES)
def test_two_that_agree_for_long_enough_are_a_loss(cluster: WatchedCluster, silent: Seen, deaf: Seen) -> None:
    # A server that hangs has done so since its query was sent, one whose container is gone since that was seen.
    early = 8 if silent is HANGS else 10
    assert cluster.sees(early, db=silent, copy=deaf).state is S.DEGRADED
    lost = cluster.sees(4, db=silent, copy=deaf)
    assert (lost.state, lost.primary, lost.standby) == (S.LOST, PRIMARY, STANDBY)
    assert len(lost.signs) == 2
    assert lost.since is not None
    assert cluster.now - lost.since >= timedelta(seconds=10)


@pytest.mark.parametrize("silent", SILENT)
def test_a_primary_that_its_standby_still_hears_is_not_lost(cluster: WatchedCluster, silent: Seen) -> None:
    assert cluster.sees(4, db=silent, copy=FOLLOWS).state is S.SLOW
    assert cluster.sees(600, db=silent, copy=FOLLOWS).state is S.DEGRADED


@pytest.mark.parametrize("deaf", DEAF_ONES)
@pytest.mark.parametrize("seen", [WRITES, REFUSES, BLIND, None])
def test_what_the_standby_alone_says_is_never_a_loss(cluster: WatchedCluster, deaf: Seen, seen: Seen | None) -> None:
    assert cluster.sees(600, db=seen, copy=deaf).state is S.DEGRADED


@pytest.mark.parametrize("seen", [BLIND, None, HANGS, EXITED, REFUSES])
@pytest.mark.parametrize("silent", SILENT)
def test_without_a_standby_that_is_seen_nothing_is_lost(cluster: WatchedCluster, seen: Seen, silent: Seen) -> None:
    verdict = cluster.sees(600, db=silent, copy=seen)
    assert (verdict.state, verdict.standby) == (S.DEGRADED, None)


@pytest.mark.parametrize("short", [EXITED, PAUSED, HANGS, GONE])
def test_a_pause_or_restart_that_is_shorter_begins_anew(cluster: WatchedCluster, short: Seen) -> None:
    for _ in range(20):
        assert cluster.sees(8, db=short, copy=DEAF).state is S.DEGRADED
        assert cluster.sees(2, db=WRITES, copy=DEAF).state is S.DEGRADED


@pytest.mark.parametrize("between", [BLIND, None])
def test_time_in_which_nobody_looked_does_not_count(cluster: WatchedCluster, between: Seen | None) -> None:
    cluster.sees(8, db=EXITED, copy=DEAF)
    cluster.sees(30, db=between, copy=DEAF)
    assert cluster.sees(2, db=EXITED, copy=DEAF).state is S.DEGRADED
    assert cluster.sees(12, db=EXITED, copy=DEAF).state is S.LOST


def test_a_loss_is_not_lost_of_which_nobody_knows_any_more(cluster: WatchedCluster) -> None:
    assert cluster.sees(14, db=EXITED, copy=DEAF).state is S.LOST
    cluster.now += timedelta(seconds=60)
    assert cluster.verdict.state is S.UNKNOWN


def test_five_seconds_to_an_answer_are_slow(cluster: WatchedCluster) -> None:
    late = replace(WRITES, latency=5.0)
    verdict = cluster.sees(60, db=late, copy=FOLLOWS)
    assert verdict.state is S.SLOW
    assert "5.0 s to answer" in verdict.reasons[0]
    assert cluster.sees(60, db=WRITES, copy=replace(FOLLOWS, latency=5.0)).state is S.SLOW
    # A link so slow, on an idle primary: half a minute of silence, the question, its answer.
    assert cluster.sees(60, db=WRITES, copy=Seen(standby(heard=40.0))).state is S.READY
    # While the answer is on its way.
    assert cluster.sees(4, db=HANGS, copy=FOLLOWS).state is S.SLOW


def test_a_standby_that_is_far_behind_is_slow(cluster: WatchedCluster) -> None:
    assert cluster.sees(2, db=Seen(primary(slow=True)), copy=FOLLOWS).state is S.SLOW


def test_a_second_standby_that_hears_the_primary_contradicts_the_first() -> None:
    cluster = WatchedCluster(ClusterMembers(PRIMARY, (STANDBY, SECOND)))
    assert cluster.sees(4, db=WRITES, copy=FOLLOWS, other=FOLLOWS).state is S.READY
    assert cluster.sees(600, db=EXITED, copy=DEAF, other=FOLLOWS).state is S.DEGRADED
    assert cluster.sees(14, db=EXITED, copy=DEAF, other=DEAF).state is S.LOST


def test_two_that_take_writes_are_a_split_brain(cluster: WatchedCluster) -> None:
    verdict = cluster.sees(4, db=WRITES, copy=Seen(primary()))
    assert verdict.state is S.SPLIT
    assert "copy @ far" in verdict.reasons[0]
    assert "db @ main" in verdict.reasons[0]


def test_one_that_was_seen_to_write_before_the_other_was_promoted_is_no_second(cluster: WatchedCluster) -> None:
    cluster.now += timedelta(seconds=2)
    cluster.take([("copy", Seen(primary()))])
    assert (cluster.verdict.state, cluster.verdict.primary) == (S.REJOIN, STANDBY)
    assert cluster.sees(2, db=EXITED, copy=Seen(primary())).state is S.REJOIN


def test_after_a_failover_the_old_primary_has_to_join_again(cluster: WatchedCluster) -> None:
    cluster.sees(14, db=EXITED, copy=DEAF)
    verdict = cluster.sees(2, db=EXITED, copy=Seen(primary()))
    assert (verdict.state, verdict.primary) == (S.REJOIN, STANDBY)
    assert "db @ main does not follow it" in verdict.reasons[0]
    assert cluster.sees(600, db=EXITED, copy=Seen(primary())).state is S.REJOIN
    swapped = cluster.sees(2, db=Seen(standby()), copy=Seen(primary()))
    assert (swapped.state, swapped.primary, swapped.standby) == (S.READY, STANDBY, PRIMARY)


def test_of_swapped_roles_the_one_that_wrote_last_is_the_one_that_is_lost(cluster: WatchedCluster) -> None:
    cluster.sees(4, db=Seen(standby()), copy=Seen(primary()))
    lost = cluster.sees(14, db=Seen(standby(streams=False)), copy=EXITED)
    assert (lost.state, lost.primary, lost.standby) == (S.LOST, STANDBY, PRIMARY)


def test_two_standbys_without_a_primary_are_degraded(cluster: WatchedCluster) -> None:
    assert cluster.sees(600, db=Seen(standby(streams=False)), copy=DEAF).state is S.DEGRADED


def test_a_run_that_moves_the_primary_is_a_failover_in_progress(cluster: WatchedCluster) -> None:
    cluster.sees(14, db=EXITED, copy=DEAF)
    verdict = judge(cluster.members, cluster.records, cluster.now, 10, "r1122-abcd")
    assert (verdict.state, verdict.reasons) == (S.FAILING_OVER, ("Run r1122-abcd is at it.",))


def test_before_anybody_looked_nothing_is_known() -> None:
    assert WatchedCluster().verdict.state is S.UNKNOWN


def test_a_worker_that_begins_after_the_death_sees_it_too() -> None:
    cluster = WatchedCluster()
    lost = cluster.sees(14, db=EXITED, copy=DEAF)
    assert (lost.state, lost.primary, lost.standby) == (S.LOST, PRIMARY, STANDBY)


NO_SIGN_HERE = st.sampled_from([WRITES, REFUSES, BLIND, None, replace(WRITES, latency=8.0)])
NO_SIGN_THERE = st.sampled_from([FOLLOWS, REFUSES, BLIND, None, HANGS, EXITED, PAUSED, Seen(standby(heard=29.0))])
ANY_HERE = st.sampled_from([WRITES, REFUSES, BLIND, None, *SILENT])
ANY_THERE = st.sampled_from([FOLLOWS, REFUSES, BLIND, None, *SILENT, *DEAF_ONES])
PAUSES = st.sampled_from([0.5, 1.0, 2.0, 5.0, 30.0])


@given(st.lists(st.tuples(PAUSES, NO_SIGN_HERE, ANY_THERE), max_size=40))
def test_whatever_standbys_say_of_a_primary_without_a_sign_it_is_not_lost(steps: list) -> None:  # type: ignore[type-arg]
    cluster = WatchedCluster()
    for pause, here, there in steps:
        cluster.now += timedelta(seconds=pause)
        cluster.take([("db", here), ("copy", there)])
        assert cluster.verdict.state is not S.LOST


@given(st.lists(st.tuples(PAUSES, ANY_HERE, NO_SIGN_THERE), max_size=40))
def test_however_a_primary_looks_it_is_not_lost_by_that_alone(steps: list) -> None:  # type: ignore[type-arg]
    cluster = WatchedCluster()
    for pause, here, there in steps:
        cluster.now += timedelta(seconds=pause)
        cluster.take([("db", here), ("copy", there)])
        assert cluster.verdict.state is not S.LOST


@given(st.lists(st.tuples(PAUSES, ANY_HERE, st.sampled_from([FOLLOWS, REFUSES, BLIND, None, DEAF])), max_size=40))
def test_a_loss_means_that_both_signs_were_seen_at_each_look_of_that_time(steps: list) -> None:  # type: ignore[type-arg]
    cluster, looks = WatchedCluster(), []
    for pause, here, there in steps:
        cluster.now += timedelta(seconds=pause)
        cluster.take([("db", here), ("copy", there)])
        looks.append((cluster.now, here, there))
        if cluster.verdict.state is S.LOST:
            # A server that hangs has done so since its query was sent, 1.5 s before its first look ended.
            lately = [look for look in looks if cluster.now - look[0] <= timedelta(seconds=8.5)]
            assert all(here is None or here in SILENT for _, here, _ in lately)
            assert all(there is None or there is DEAF for _, _, there in lately)
