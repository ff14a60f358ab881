"""One whole recovery on every layout of the data directory, with what must hold of the clone looked at from outside."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from actions.engine.journal import Kind
from lab import processes, town_process, truth
from lab.engine import connect
from lab.home import Layout
from lab.notes import read
from tests.support.damage import fill
from tests.support.practice import Practice, practice_company

pytestmark = pytest.mark.whole

_TOKENS = ("xoxb-practice", "xapp-practice", "practice-signing-secret")
_SMALL_DISK = 1200 * 1024 * 1024


@contextmanager
def talking(root: Path, layout: Layout) -> Iterator[Practice]:
    with practice_company(root, f"mtb-{layout}", layout) as practice:
        talk(practice)
        yield practice


def talk(practice: Practice) -> None:
    # Some seconds' worth: what is asked for lies two seconds back, and no base backup may have ended after that.
    wrote = len(list(read(practice.lab.truth_file)))
    practice.until(lambda: len(list(read(practice.lab.truth_file))) > wrote + 30, 30, "the town talks")


@contextmanager
def watched(practice: Practice) -> Iterator[list[str]]:
    """What `ps` and `docker inspect` show to everybody on the host while a run is carried out."""
    seen: list[str] = []
    inspected: dict[str, str] = {}
    over = threading.Event()
    api = connect().api

    def look() -> None:
        while not over.wait(0.5):
            seen.append(subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout)
            made = {one["Id"] for one in api.containers(all=True, filters={"label": "mayday.run"})}
            # What a container was made with does not change any more.
            inspected.update({ident: inspect(ident) for ident in made - inspected.keys()})

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
        seen.extend(told for told in inspected.values() if str(practice.lab.root) in told or "mtb-" in told)


def inspect(name: str) -> str:
    """What Docker tells of a container, as JSON; nothing where it is gone."""
    try:
        return json.dumps(connect().api.inspect_container(name))
    except NotFound:
        return ""


def beside(practice: Practice, run: str) -> dict[str, str]:
    """What lies beside the live directory, by name without the live one's, with the text of label files."""
    home = practice.run(run).facts["server"]["home"]
    script = 'cd /beside && for f in *; do echo "$f"; [ ! -f "$f" ] || cat "$f"; printf "\\0"; done'
    listed = practice.docker(
        "run",
        "--rm",
        "--network=none",
        "--entrypoint=sh",
        "-v",
        f"{home['parent']}:/beside:ro",
        "postgres:15-bookworm",
        "-c",
        script,
    )
    found = (part.partition("\n") for part in listed.split("\0"))
    return {name.removeprefix(home["leaf"]): text for name, _, text in found if name.startswith(home["leaf"])}


def assert_alone(practice: Practice, run: str) -> None:
    """The clone archives nothing, has no network, and cannot so much as name the live server."""
    clone = f"mayday-clone-{run}"
    told: Any = json.loads(inspect(clone))
    assert told["HostConfig"]["NetworkMode"] == "none"
    assert practice.psql("show archive_mode", clone) == "off"
    assert practice.docker("exec", clone, "sh", "-c", "ls /sys/class/net") == "lo"
    resolving = practice.docker("exec", clone, "sh", "-c", f"getent hosts {practice.postgres} || echo unknown")
    assert resolving == "unknown"
    mounted = {mount["Destination"] for mount in told["Mounts"] if mount["RW"]}
    assert mounted == {practice.run(run).facts["server"]["home"]["inside"]}, "it can write to its own data alone"


def assert_no_secret_in(practice: Practice, texts: list[str]) -> None:
    for secret in (practice.lab.password_file.read_text().strip(), *_TOKENS):
        assert not [text for text in texts if secret in text], "a secret was seen"


def told_by_mayday(practice: Practice) -> list[str]:
    journal = [json.dumps(e.data, default=str) for run in practice.store.runs() for e in practice.store.entries(run)]
    return [
        processes.log_tail(practice.lab, "worker", 100_000),
        processes.log_tail(practice.lab, "bot", 100_000),
        *journal,
    ]


def recover_and_discard(practice: Practice) -> None:
    """One recovery that is given up, one that is carried through."""
    with watched(practice) as seen:
        given_up = practice.pitr_to_preview("2s ago", "Restore, keep serving")
        assert_alone(practice, given_up)
        practice.press("Discard", given_up)
        assert practice.wait(given_up) == "discarded", practice.story(given_up)
        there = beside(practice, given_up)
        assert f"_discarded_{given_up}" in there
        assert f"_clone_{given_up}" not in there
        talk(practice)

        run = practice.recover("2s ago")
        assert practice.compare(practice.run(run).request["target"]["at"]).equal
        there = beside(practice, run)
        assert {f"_before_{run}", f"_discarded_{given_up}"} <= set(there)
        label = json.loads(there[f"_before_{run}.mayday.json"])
        assert label["run"] == run
        assert label["kept_until"] > practice.now()[:10]
        talk(practice)
    assert any("mayday-clone-" in text for text in seen), "the watcher saw the clone"
    assert_no_secret_in(practice, [*seen, *told_by_mayday(practice)])


@pytest.mark.parametrize("layout", ["volume", "subdir"])
def test_a_recovery_works_where_the_data_lies_on_a_named_volume(layout: Layout, tmp_path: Path) -> None:
    with talking(tmp_path, layout) as practice:
        recover_and_discard(practice)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A company whose data lies on a small file system of its own, where the tests may mount one."""
    root = tmp_path_factory.mktemp("bind")
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    image, data = root / "disk.img", root / "data"
    data.mkdir()
    with image.open("wb") as file:
        file.truncate(_SMALL_DISK)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, data], check=True)
    try:
        with talking(root, "bind") as practice:
            try:
                yield practice
            finally:
                subprocess.run(["umount", "-l", data], check=True)
    finally:
        image.unlink()


def test_a_recovery_works_where_the_data_lies_in_a_folder_of_the_host(small_disk: Practice) -> None:
    recover_and_discard(small_disk)


MB = 1024 * 1024


@pytest.mark.parametrize(("step", "spare"), [("copy the base backup", -2 * MB), ("lay the WAL", 28 * MB)])
def test_a_disk_that_fills_up_is_said_and_a_retry_works_once_there_is_room(
    small_disk: Practice, step: str, spare: int
) -> None:
    practice, data = small_disk, small_disk.lab.root / "data"
    town_process.stop(practice.lab)
    before, inode = truth.messages_in(practice.lab), practice.lab.data("postgres").stat().st_ino
    run = ask_for_what_is_archived(practice)
    # Just too little for the base, or enough for that and too little for the WAL after it.
    with full_but_for(data, practice.run(run).facts["base"]["bytes"] + spare):
        practice.press("Restore, keep serving", run)
        assert practice.wait(run) == "failed", practice.story(run)
        said = [e.data for e in practice.store.entries(run) if e.kind is Kind.FAILED][-1]
        assert said["title"] == step
        assert "The disk is full" in said["error"]
        assert "Make room" in said["hint"]
        assert room(data) > 10 * MB, "the live server is given room to write"
        practice.psql("create table on_a_full_disk as select generate_series(1, 1000) as n")
        assert truth.messages_in(practice.lab) == before
        practice.psql("drop table on_a_full_disk")

    practice.press("Retry", run)
    assert practice.wait(run) == "asking", practice.story(run)
    practice.press("Discard", run)
    assert practice.wait(run) == "discarded", practice.story(run)
    assert practice.lab.data("postgres").stat().st_ino == inode
    assert truth.messages_in(practice.lab) == before


def ask_for_what_is_archived(practice: Practice) -> str:
    """Ask for a moment whose WAL the archive holds, some segments of it."""
    practice.fresh_base()
    for _ in range(3):
        fill(practice, "before")
    when = practice.now()
    last = fill(practice, "after")
    practice.until((practice.lab.wal_archive / last).exists, 30, "the segments are archived")
    run = practice.ask(when)
    assert practice.wait(run) == "asking", practice.story(run)
    return run


def room(disk: Path) -> int:
    seen = os.statvfs(disk)
    return seen.f_bavail * seen.f_frsize


@contextmanager
def full_but_for(disk: Path, left: int) -> Iterator[None]:
    """The disk with so many bytes left; it has its room again afterwards."""
    with (disk / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, room(disk) - left)
    try:
        yield
    finally:
        (disk / "filler").unlink()


def test_a_container_that_was_replaced_voids_the_approval(small_disk: Practice) -> None:
    """The plan names the container by its id; another one of the same name is another server."""
    practice = small_disk
    run = practice.pitr_to_preview("latest")
    old = practice.run(run).facts["server"]["container"]
    time.sleep(1)
    practice.docker("rename", practice.postgres, f"{practice.postgres}-old")
    practice.docker("stop", "-t", "30", f"{practice.postgres}-old")
    replace(practice)
    practice.press("Cut over", run, "approver", typed=practice.postgres)
    practice.wait_for(run, Kind.VOIDED)
    assert practice.wait(run) == "asking", practice.story(run)
    assert practice.run(run).facts["server"]["container"] != old
    assert practice.times_done(run, "stop the old server") == 0
    practice.press("Discard", run)
    assert practice.wait(run) == "discarded", practice.story(run)


def replace(practice: Practice) -> None:
    """Another container with the same name, image, mounts and command."""
    told: Any = json.loads(inspect(f"{practice.postgres}-old"))
    mounts = [part for bind in told["HostConfig"]["Binds"] for part in ("-v", bind)]
    labels = [part for name, value in told["Config"]["Labels"].items() for part in ("--label", f"{name}={value}")]
    env = [part for line in told["Config"]["Env"] for part in ("-e", line)]
    practice.docker(
        "run",
        "-d",
        "--name",
        practice.postgres,
        "--network",
        practice.lab.network,
        *mounts,
        *labels,
        *env,
        told["Config"]["Image"],
        *told["Config"]["Cmd"],
    )
