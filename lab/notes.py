"""The file outside of the database in which the truth is written down, one JSON line an event."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NotRequired, TypedDict


class Note(TypedDict):
    """A message whose commit was acknowledged, or (`kind` loss) the deletion of a channel with its messages."""

    kind: Literal["message", "loss"]
    channel: str
    commit_time: str
    timeline: int
    lsn: str
    exact: bool
    id: NotRequired[int]
    body_md5: NotRequired[str]
    xid: NotRequired[str]
    moment: NotRequired[str]
    messages: NotRequired[int]


class Fault(TypedDict):
    """What happened to a server, when: for judges and for people, and no part of the messages."""

    kind: Literal["fault"]
    what: str
    container: str
    moment: str
    done: str


def append(file: Path, *notes: Note | Fault) -> None:
    """On disk when this returns. One write call, so that two writers never mix their lines."""
    lines = "".join(json.dumps(note, sort_keys=True) + "\n" for note in notes)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, lines.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(file: Path) -> Iterator[Note]:
    """Every message and loss; a last line that is cut off, by a crash or by just being written, does not count yet."""
    if not file.exists():
        return
    with file.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return  # Its other half may be there by now, and would be taken for a line.
            note = json.loads(line)
            if note["kind"] != "fault":
                yield note
