"""What people read of a cluster: the same in a sheet, a terminal and on the home tab, where it changes seldom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from actions.postgres.replication import SlotUse
from actions.steps.postgres.show_cluster import cluster_sheets
from actions.watch.cluster_status import ClusterStatus
from actions.watch.cluster_words import ClusterWords, steady_words, words_of
from actions.watch.lag_curve import POINTS, LagPoint, curve, highest, with_lag
from bot.views.home_view import HomeData, view
from tests.support.probes import (
    BEGAN,
    BLIND,
    DEAF,
    EXITED,
    FOLLOWS,
    HANGS,
    STANDBY,
    WRITES,
    Seen,
    WatchedCluster,
    primary,
    standby,
)
from tests.support.worlds.planned import NoClusters

MB = 1024**2
SLOT = SlotUse("copy", True, True, "reserved", 4096, None)
WITH_SLOT = Seen(replace(primary(), slots=(SLOT,)))


def seen(cluster: WatchedCluster) -> ClusterStatus:
    return ClusterStatus(cluster.members, cluster.records, cluster.verdict)


def rows(words: ClusterWords) -> dict[str, str]:
    return dict(words.rows)


def test_a_well_cluster_tells_roles_positions_lag_slots_and_the_last_probe() -> None:
    cluster = WatchedCluster()
    cluster.sees(60, db=WITH_SLOT, copy=FOLLOWS)
    told = words_of(seen(cluster), cluster.now + timedelta(seconds=1))
    assert (told.state, told.reasons) == ("ready", ())
    assert rows(told)["db @ main"] == (
        "primary, answered in 10 ms, has written up to 0/3E8 on timeline 1, last probe 1 s ago"
    )
    assert "standby, answered in 10 ms, streams, has replayed up to 0/3E8" in rows(told)["copy @ far"]
    assert rows(told)["Lag"] == "▁▁▁▁▁▁▁ 0 B behind, at most 0 B in 10 min"
    assert rows(told)["Slot copy"] == "physical, read now, keeps 4.0 kB of WAL"


def test_a_lost_one_tells_what_was_known_of_it() -> None:
    cluster = WatchedCluster()
    cluster.sees(4, db=WITH_SLOT, copy=FOLLOWS)
    cluster.sees(14, db=EXITED, copy=DEAF)
    told = words_of(seen(cluster), cluster.now)
    assert told.state == "primary lost"
    line = rows(told)["db @ main"]
    assert line.startswith("was primary, container exited, no answer, exit code 137, has written up to 0/3E8")
    assert "when it was seen last" in line
    assert "receives nothing" in rows(told)["copy @ far"]
    assert "Slot copy" in rows(told)


def test_what_was_never_probed_or_could_not_be_is_said() -> None:
    cluster = WatchedCluster()
    cluster.sees(4, db=BLIND)
    told = rows(words_of(seen(cluster), cluster.now))
    assert told["db @ main"].startswith("primary by the settings, Docker did not answer")
    assert told["copy @ far"] == "never probed"


def test_the_home_tab_changes_only_where_something_did() -> None:
    cluster = WatchedCluster()
    cluster.sees(20, db=WITH_SLOT, copy=FOLLOWS)
    first = rows(steady_words(seen(cluster), cluster.now))
    cluster.sees(4, db=Seen(replace(primary(lsn=9000), slots=(SLOT,)), latency=0.3), copy=FOLLOWS)
    assert rows(steady_words(seen(cluster), cluster.now)) == first
    assert first["db @ main"] == "primary, probed every 2 s"
    assert first["Slot copy"] == "read"
    cluster.sees(2, db=HANGS, copy=FOLLOWS)
    told = rows(steady_words(seen(cluster), cluster.now))
    assert told["db @ main"] == "was primary, does not answer, running, probed every 2 s"
    later = rows(steady_words(seen(cluster), cluster.now + timedelta(minutes=5)))
    assert "not probed since 2026-11-22 14:00 UTC" in later["db @ main"]
    assert rows(steady_words(seen(WatchedCluster()), BEGAN))["db @ main"] == "never probed"


def test_the_home_tab_has_a_section_for_each_cluster() -> None:
    cluster = WatchedCluster()
    cluster.sees(14, db=WRITES, copy=DEAF)
    words = steady_words(seen(cluster), cluster.now)
    shown = str(view(HomeData(runs=(), sites=(), now=cluster.now, clusters=(words,))))
    assert "✗ *Replication*: degraded" in shown
    assert "*copy @ far* standby" in shown
    assert "Replication" not in str(view(HomeData(runs=(), sites=(), now=cluster.now)))


def test_the_sheet_begins_with_the_cluster_where_there_is_one() -> None:
    cluster = WatchedCluster()
    cluster.sees(4, db=WRITES, copy=FOLLOWS)
    words = words_of(seen(cluster), cluster.now)
    server = type("Named", (), {"service": "db", "user": "postgres"})()
    assert [sheet.title for sheet in cluster_sheets(primary(), server, words)] == ["Cluster", "Replication"]
    none = NoClusters().of("db", "main")
    assert [sheet.title for sheet in cluster_sheets(primary(), server, none)] == ["Replication"]
    assert (words.says(), none.says()) == ("the cluster is: ready", "it belongs to no cluster of the settings")


def test_points_are_the_most_of_ten_seconds_and_the_last_ten_minutes_are_kept() -> None:
    points: tuple[LagPoint, ...] = ()
    for second in range(0, 3600, 2):
        points = with_lag(points, BEGAN + timedelta(seconds=second), second % 10)
    assert len(points) == POINTS
    assert {one.lag for one in points} == {8}
    assert points[-1].at - points[0].at == 590
    # A clock that was set back: what lies ahead of it is gone.
    assert len(with_lag(points, BEGAN, 5)) == 1


def test_a_curve_has_its_highest_bar_full_and_a_gap_where_nobody_looked() -> None:
    at = int(BEGAN.timestamp())
    points = tuple(LagPoint(at + 10 * n, lag) for n, lag in ((0, 0), (1, 40 * MB), (2, 80 * MB), (5, 20 * MB)))
    assert curve(points) == "▁▄█  ▂"
    assert curve(points, width=2) == "█"
    assert curve(()) == ""
    assert (highest(points), highest(())) == (80 * MB, 0)
    assert curve((LagPoint(at, 100), LagPoint(at + 10, 50_000))) == "▁▁"


def test_a_lag_is_by_the_primarys_word_where_that_is_known() -> None:
    cluster = WatchedCluster()
    cluster.sees(2, copy=Seen(standby(lsn=400)))
    assert cluster.records[STANDBY].points[-1].lag == 0
