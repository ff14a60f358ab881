"""What the size, the beginning and the end of a file say of it as a copy of a WAL segment."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lz4.frame
import pytest
import zstandard

from actions.postgres.archive import ArchivedFile, LiveTail, WalFile
from actions.postgres.choices import choose_backup, window_words
from actions.postgres.lsn import Lsn
from actions.postgres.segment_copy import FORMS, HEAD, TAIL, Expected, form_of, wrong_with
from actions.postgres.segments import parse_wal_name, segment_name
from actions.postgres.unreachable import Unreachable
from tests.core.postgres.test_windows import archive, backup, hours, window
from tests.support.worlds.wal import SIZE, SYSTEM, wal_header
from workers.postgres.judged_wal import LIST
from workers.postgres.judged_wal import judged as judged_files

NAME = segment_name(1, 5)
EXPECTED = Expected(SIZE, SYSTEM, 15)
NOISE = random.Random(5).randbytes(200_000)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": partial(gzip.compress, compresslevel=1),
    "xz": partial(lzma.compress, preset=0),
    "bz2": partial(bz2.compress, compresslevel=1),
    "zst": zstandard.compress,
    "lz4": lz4.frame.compress,
}


def judged(name: str, data: bytes, expected: Expected = EXPECTED) -> str:
    return wrong_with(name, len(data), data[:HEAD], data[-TAIL:], expected)


def whole(name: str = NAME, **changes: object) -> bytes:
    return (wal_header(name, **changes) + NOISE).ljust(SIZE, b"\0")  # type: ignore[arg-type]


def test_a_whole_segment_of_the_cluster_is_fine() -> None:
    assert judged(NAME, whole()) == ""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (whole()[: 5 << 20], "cut short: 5 MB of 16 MB"),
        (whole() + b"x", "16,777,217 bytes, not 16 MB"),
        (bytes(SIZE), "only zeros"),
        (b"x" * SIZE, "does not begin as WAL"),
        (whole(system="42"), "another cluster (system identifier 42)"),
        (whole(magic=0xD10D), "of PostgreSQL 14"),
        (whole(segment_name(1, 2)), "another place (0/2000000 on timeline 1)"),
        (whole(segment_name(2, 5)), "another place (0/5000000 on timeline 2)"),
    ],
)
def test_what_is_no_copy_of_the_segment_is_named(data: bytes, why: str) -> None:
    assert why in judged(NAME, data)


def test_a_segment_in_which_a_timeline_begins_starts_with_pages_of_the_one_before() -> None:
    assert judged(segment_name(2, 5), whole(NAME)) == ""


def test_a_name_that_cannot_be_is_no_segment() -> None:
    assert "no segment of 64 MB" in judged(segment_name(1, 0xFF), whole(), Expected(64 << 20))


@pytest.mark.parametrize("form", PACKERS)
def test_a_packed_segment_is_fine_and_one_that_was_cut_is_found_by_its_end(form: str) -> None:
    name, packed = f"{NAME}.{form}", PACKERS[form](whole())
    assert form_of(name) == form
    assert judged(name, packed) == ""
    assert "does not begin as" in judged(name, b"x" * 5000)
    assert "empty" in judged(name, b"")
    if form != "zst":  # Its end shows only to who reads it all.
        rng = random.Random(7)
        assert all("cut short" in judged(name, packed[: rng.randrange(30, 200_000)]) for _ in range(200))


@pytest.mark.parametrize("form", ["gz", "xz", "zst"])
def test_what_was_cut_before_it_was_packed_is_found_where_the_form_tells_the_size(form: str) -> None:
    assert "5,242,880" in judged(f"{NAME}.{form}", PACKERS[form](whole()[: 5 << 20]))


def test_of_a_packed_segment_whose_index_is_damaged_no_size_is_told() -> None:
    """Whether its content is whole shows where it is read, and another copy is tried then."""
    packed = bytearray(lzma.compress(whole()))
    index = len(packed) - 12 - (int.from_bytes(packed[-8:-4], "little") + 1) * 4
    for at in range(index, len(packed) - 12):
        flipped = bytearray(packed)
        flipped[at] ^= 1
        assert judged(f"{NAME}.xz", bytes(flipped)) == ""


@pytest.mark.parametrize(
    "command",
    [
        "gzip -c",
        "xz -0 -c",
        "xz -T2 -0 --block-size=1MiB -c",
        "bzip2 -1 -c",
        "zstd -qc",
        "zstd -q -T2 -c",
        "lz4 -qc",
        "lz4 -qc --no-frame-crc",
        "lz4 -qlc",
    ],
)
def test_what_the_programs_write_is_fine(command: str) -> None:
    program = command.split()[0]
    try:
        packed = subprocess.run([*command.split(), "-"], input=whole(), capture_output=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip(f"{program} is not on this machine")
    form = {"gzip": "gz", "bzip2": "bz2", "zstd": "zst"}.get(program, program)
    assert judged(f"{NAME}.{form}", packed) == ""


def test_a_form_that_cannot_be_read_counts_as_no_copy_and_is_said() -> None:
    assert form_of(f"{NAME}.br") is None
    assert "cannot be read" in judged(f"{NAME}.br", b"x" * 100)
    assert set(FORMS) == {"", *PACKERS}


@pytest.mark.parametrize("ending", ["gpg", "age", "zst.gpg", "gz.enc"])
def test_an_encrypted_copy_counts_as_none_and_is_said(ending: str) -> None:
    assert form_of(f"{NAME}.{ending}") is None
    assert judged(f"{NAME}.{ending}", b"x" * 100) == f"it is encrypted (.{ending}), so it cannot be read here"


@pytest.mark.parametrize("ending", ["tmp", "gz.tmp", "sha256", "ready", "gz.sig"])
def test_what_stands_beside_segments_is_no_copy(ending: str) -> None:
    assert parse_wal_name(f"{NAME}.{ending}") is None


def bad(number: int, why: str = "it is cut short: 5 MB of 16 MB") -> ArchivedFile:
    return ArchivedFile(segment_name(1, number), 5 << 20, why)


def test_a_bad_copy_in_the_middle_ends_the_window_and_is_named_with_its_fault() -> None:
    found = window(backup(2), listing=[*archive(2, 3), bad(4), *archive(5, 6)])
    assert found.live is not None
    assert "(000000010000000000000004: it is cut short: 5 MB of 16 MB)" in window_words(found.live)
    with pytest.raises(Unreachable, match=r"missing .*cut short: 5 MB of 16 MB"):
        choose_backup(found, at=hours(5.5))


def test_a_bad_copy_at_the_end_is_named_too() -> None:
    found = window(backup(2), listing=[*archive(2, 3), bad(4)])
    with pytest.raises(Unreachable, match=r"missing .*cut short: 5 MB of 16 MB"):
        choose_backup(found, at=hours(4.5))


@pytest.mark.parametrize("beside", [LiveTail(1, (segment_name(1, 4),), Lsn(0x4000500), hours(9)), None])
def test_a_bad_copy_beside_a_good_one_does_no_harm(beside: LiveTail | None) -> None:
    packed = [] if beside else [ArchivedFile(f"{segment_name(1, 4)}.gz", 9000)]
    found = window(backup(2), listing=[*archive(2, 3), bad(4), *packed], tail=beside)
    assert found.live is not None
    assert not found.live.gaps
    assert choose_backup(found, at=hours(4.5)).whole
    assert [(copy.file, copy.needed) for copy in found.bad] == [(segment_name(1, 4), False)]


def test_a_backup_whose_own_wal_is_bad_says_what_is_wrong_with_it() -> None:
    found = window(backup(4), listing=[bad(4), *archive(5)])
    assert found.live is not None
    assert "cut short" in found.live.unusable[0].why


def test_a_folder_is_listed_with_what_is_wrong_with_each_file(tmp_path: Path) -> None:
    """By the very script, in the shell of this machine."""
    names = [segment_name(1, number) for number in range(1, 9)]
    for name in names[:3]:
        (tmp_path / name).write_bytes(whole(name))
    os.truncate(tmp_path / names[1], 5 << 20)
    (tmp_path / f"{names[3]}.gz").write_bytes(gzip.compress(whole(names[3])))
    (tmp_path / f"{names[4]}.gz").write_bytes(gzip.compress(whole(names[4]))[:9000])
    (tmp_path / f"{names[5]}.zst").write_bytes(zstandard.compress(whole(names[5])))
    (tmp_path / f"{names[6]}.zst").write_bytes(zstandard.compress(whole(names[6]))[:90_000])
    (tmp_path / names[7]).touch()
    for other in ("00000002.history", f"{names[0]}.00000028.backup", f"{names[0]}.partial", f".{names[0]}.draft", "x"):
        (tmp_path / other).write_bytes(b"1\t0/5000000\tno reason\n")
    found = {file.name: file.wrong for file in listed(tmp_path)}
    assert f".{names[0]}.draft" not in found
    wrong = {name: why for name, why in found.items() if why}
    assert set(wrong) == {names[1], f"{names[4]}.gz", names[7], *([f"{names[6]}.zst"] if shutil.which("zstd") else [])}
    assert all("cut short" in why or "empty" in why for why in wrong.values())


def test_many_files_are_each_judged_by_their_own_bytes(tmp_path: Path) -> None:
    for number in range(1, 700):
        name = segment_name(1, number)
        with (tmp_path / name).open("wb") as file:
            file.write(wal_header(name if number % 9 else segment_name(1, 3000)))
            file.truncate(SIZE)
    found = listed(tmp_path)
    assert [bool(file.wrong) for file in found] == [number % 9 == 0 for number in range(1, 700)]


def listed(folder: Path) -> list[WalFile]:
    said = subprocess.run(["sh", "-c", LIST, "sh", str(folder)], capture_output=True, text=True, check=True).stdout
    server: Any = SimpleNamespace(segment_size=SIZE, system_identifier=SYSTEM, version=15)
    return judged_files(server, said)
