"""After two recoveries, whatever the times of files say: the WAL alone tells what belongs to which moment."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from actions.engine.run import Run
from tests.support.own_cluster import KEEP, Cluster, own_cluster

pytestmark = pytest.mark.whole


def touched(cluster: Cluster, at: datetime) -> None:
    for folder in (cluster.archive, cluster.bases):
        for path in (folder, *folder.rglob("*")):
            os.utime(path, (at.timestamp(), at.timestamp()), follow_symlinks=False)


def note(cluster: Cluster, text: str) -> str:
    """Commit a row; a moment shortly after it."""
    cluster.sql(f"insert into notes values ('{text}')")
    return cluster.now()


def notes(cluster: Cluster, container: str = "") -> list[str]:
    return cluster.sql("select coalesce(string_agg(text, ' '), '') from notes", container=container).split()


def planned(cluster: Cluster, when: str) -> Run:
    run = cluster.plan(when)
    assert run.question is not None, cluster.story(run.id)
    cluster.answer(run.id, "Cancel")
    return run


def test_the_right_timeline_is_taken_whatever_the_times_of_files_say(tmp_path: Path) -> None:
    with own_cluster(tmp_path, "times") as cluster:
        cluster.start()
        cluster.sql("create table notes (text text)")
        cluster.base()
        wanted = {"one": note(cluster, "one")}
        cluster.sql("delete from notes")
        left = note(cluster, "left")
        note(cluster, "left-too")
        cluster.recover(wanted["one"])
        wanted["two"] = note(cluster, "two")
        cluster.sql("delete from notes")
        note(cluster, "gone")
        cluster.recover(wanted["two"])
        wanted["three"] = note(cluster, "three")
        cluster.sql("delete from notes")
        note(cluster, "last")
        cluster.switch()
        assert sorted(path.name for path in cluster.archive.glob("*.history")) == [
            "00000002.history",
            "00000003.history",
        ]

        now = datetime.now(UTC)
        for times in (now, datetime(1970, 1, 2, tzinfo=UTC), now + timedelta(days=400)):
            touched(cluster, times)
            plans = {name: planned(cluster, when).facts["aim"] for name, when in wanted.items()}
            assert {name: aim["timeline"] for name, aim in plans.items()} == {"one": 1, "two": 2, "three": 3}, times
            # What was committed after the first target and before the first cut-over lies on what was left.
            assert planned(cluster, left).facts["aim"]["timeline"] == 1
        run = cluster.preview(wanted["three"], KEEP)
        assert notes(cluster, cluster.clone(run.id)) == ["one", "two", "three"]
        cluster.answer(run.id, "Discard")
        run = cluster.preview(left, KEEP)
        assert notes(cluster, cluster.clone(run.id)) == ["left"]
