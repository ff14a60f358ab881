"""What the name of a file says of it as a copy of WAL: of which segment or history, packed in which form."""

from __future__ import annotations

from pathlib import PurePosixPath

from actions.postgres.archive import WalFile
from actions.postgres.segment_copy import FORMS
from actions.postgres.segments import parse_wal_name
from actions.postgres.server import Server


def bare_name(path: str) -> str:
    """What a file is a copy of: the name of a segment or of a timeline's history; empty for anything else."""
    wal = parse_wal_name(PurePosixPath(path).name)
    if wal is None or wal.kind not in ("segment", "history"):
        return ""
    return wal.segment_name if wal.kind == "segment" else f"{wal.timeline:08X}.history"


def size_of(server: Server, path: str) -> int:
    """How many bytes a copy has to hold; 0 for a history, of which nobody knows."""
    return 0 if bare_name(path).endswith(".history") else server.segment_size


def cost_of(file: WalFile) -> int:
    """Its place in the order in which copies are tried: what is cheapest to read comes first."""
    form = form_of_copy(file.name)
    return FORMS.index(form) if form in FORMS else len(FORMS)


def form_of_copy(path: str) -> str:
    """How it is packed, as its name ends; empty where it is plain."""
    wal = parse_wal_name(PurePosixPath(path).name)
    return wal.compression if wal is not None else ""
