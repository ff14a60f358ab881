"""What tests of bad days do to a practice company, and what they look at afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from actions.engine.journal import Kind
from lab import truth
from tests.support.practice import Practice


def live(practice: Practice) -> tuple[Any, ...]:
    directory = practice.lab.data("postgres")
    started = practice.docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}} {{.State.Status}}", practice.postgres)
    return directory.stat().st_ino, started, truth.messages_in(practice.lab)


def write_segments(practice: Practice, count: int) -> list[str]:
    """So many whole segments with a commit in each, archived, and no longer held by the server itself."""
    made = [fill(practice, "old") for _ in range(count + 2)]
    practice.until((practice.lab.wal_archive / made[-1]).exists, 30, "the segments are archived")
    practice.psql("checkpoint")
    own = practice.lab.data("postgres") / "pg_wal"
    practice.until(lambda: not any((own / name).exists() for name in made[:count]), 30, "the server forgets them")
    return made[:count]


def fill(practice: Practice, text: str) -> str:
    """Commit rows and end the segment; its name."""
    practice.psql("create table if not exists filler (t text)")
    practice.psql(f"insert into filler select '{text}' from generate_series(1, 5000)")
    return practice.psql("select pg_walfile_name(pg_switch_wal())")


def failure(practice: Practice, run: str) -> dict[str, Any]:
    """What a failed run says, in its journal and in its thread."""
    assert practice.wait(run) == "failed", practice.story(run)
    said = [e.data for e in practice.store.entries(run) if e.kind is Kind.FAILED][-1]
    practice.until(lambda: said["error"] in "\n".join(practice.thread_texts(run)), 20, "the thread says why")
    assert said["hint"] in "\n".join(practice.thread_texts(run))
    return dict(said)


def refusal(practice: Practice, run: str) -> dict[str, Any]:
    assert practice.wait(run) == "refused", practice.story(run)
    return dict(practice.store.entries(run)[-1].data)


def ends(practice: Practice, run: str, label: str, state: str = "discarded") -> None:
    practice.press(label, run)
    assert practice.wait(run) == state, practice.story(run)


def flip(file: Path, at: int) -> None:
    """Damage leaves no trace in a file's times, so they are put back."""
    was = file.stat()
    with file.open("r+b") as data:
        data.seek(at)
        byte = data.read(1)[0]
        data.seek(at)
        data.write(bytes([byte ^ 1]))
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


def newest_base(practice: Practice) -> Path:
    return max(practice.lab.backups.joinpath("postgres/base").iterdir(), key=lambda path: path.stat().st_mtime)


@contextmanager
def truncated(file: Path) -> Iterator[None]:
    whole, was = file.read_bytes(), file.stat()
    file.write_bytes(whole[: len(whole) // 2])
    try:
        yield
    finally:
        file.write_bytes(whole)
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


@contextmanager
def flipped(file: Path, at: int) -> Iterator[None]:
    flip(file, at)
    try:
        yield
    finally:
        flip(file, at)


@contextmanager
def away(path: Path) -> Iterator[None]:
    path.rename(path.with_name(f".{path.name}.away"))
    try:
        yield
    finally:
        path.with_name(f".{path.name}.away").rename(path)


def can_be_planned(practice: Practice, when: str) -> None:
    run = practice.ask(when)
    assert practice.wait(run) == "asking", practice.story(run)
    ends(practice, run, "Cancel")
