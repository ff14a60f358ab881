"""WAL positions, file names and timelines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.engine.errors import RecoveryError
from actions.postgres.lsn import Lsn, format_lsn, parse_lsn
from actions.postgres.segments import (
    SIZES,
    contiguous_ranges,
    missing,
    next_segment,
    parse_wal_name,
    previous_segment,
    segment_before,
    segment_name,
    segment_number,
    segment_of,
    segment_start,
    segments_between,
)
from actions.postgres.timelines import chain_to, lies_on, parse_history, segments_needed, timeline_at

MB = 1024 * 1024
LSNS = st.integers(0, 2**64 - 1)


@given(LSNS)
def test_a_position_reads_back_as_it_was_written(lsn: int) -> None:
    assert parse_lsn(format_lsn(lsn)) == lsn


def test_a_position_is_written_as_the_server_writes_it() -> None:
    assert format_lsn(0x1_0A3F2C8) == "0/10A3F2C8"
    assert parse_lsn("1/0000000a") == (1 << 32) + 10


@pytest.mark.parametrize("text", ["", "5A3F2C8", "0/", "0/123456789", "g/1", "0/1 or", "0/١"])
def test_anything_else_is_no_position(text: str) -> None:
    with pytest.raises(ValueError, match="not a WAL position"):
        parse_lsn(text)


@pytest.mark.parametrize(
    ("name", "kind", "compression"),
    [
        ("000000010000000000000003", "segment", ""),
        ("000000010000000000000003.gz", "segment", "gz"),
        ("000000010000000000000003.zst", "segment", "zst"),
        ("000000010000000000000003.partial", "partial", ""),
        ("000000010000000000000003.00000028.backup", "backup", ""),
        ("00000002.history", "history", ""),
        ("00000002.history.lz4", "history", "lz4"),
    ],
)
def test_a_file_name_says_what_it_is(name: str, kind: str, compression: str) -> None:
    file = parse_wal_name(name)
    assert file is not None
    assert (file.kind, file.compression) == (kind, compression)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".archive-id",
        "000000010000000000000003.tmp",
        "00000001000000000000000g",
        "archive_status",
        "00000001000000000000003",
    ],
)
def test_a_stranger_in_the_archive_is_no_wal(name: str) -> None:
    assert parse_wal_name(name) is None


@given(st.integers(1, 99), st.integers(1, 2**40), st.sampled_from(SIZES))
def test_names_and_positions_agree_for_every_segment_size(timeline: int, lsn: int, size: int) -> None:
    name = segment_of(timeline, lsn, size)
    assert segment_start(name, size) <= lsn < segment_start(next_segment(name, size), size)
    assert segment_name(timeline, segment_number(name, size), size) == name


def test_the_middle_of_the_name_moves_on_after_four_gigabytes() -> None:
    assert next_segment("0000000100000000000000FF") == "000000010000000100000000"
    assert previous_segment("000000010000000100000000") == "0000000100000000000000FF"
    assert next_segment("000000010000000000000003", 1024 * MB) == "000000010000000100000000"


def test_a_position_on_the_border_needs_only_the_segment_before_it() -> None:
    assert segment_before(1, 0x3000000) == "000000010000000000000002"
    assert segment_of(1, 0x3000000) == "000000010000000000000003"


def names(timeline: int, *numbers: int) -> list[str]:
    return [segment_name(timeline, number) for number in numbers]


def test_holes_and_timelines_split_a_listing_into_ranges() -> None:
    listing = [*names(2, 5, 6), *names(1, 1, 2, 3, 5), "00000002.history", segment_name(1, 4) + ".partial"]
    found = [(part.timeline, part.first, part.last, part.count) for part in contiguous_ranges(reversed(listing))]
    assert found == [
        (1, names(1, 1)[0], names(1, 3)[0], 3),
        (1, names(1, 5)[0], names(1, 5)[0], 1),
        (2, names(2, 5)[0], names(2, 6)[0], 2),
    ]


@given(st.sets(st.integers(1, 600), min_size=1))
def test_ranges_hold_exactly_what_was_listed(numbers: set[int]) -> None:
    ranges = contiguous_ranges(names(1, *numbers))
    held = [name for part in ranges for name in segments_between(part.first, part.last)]
    assert sorted(held) == sorted(names(1, *numbers))
    assert len(missing(held, held[0], held[-1])) == max(numbers) - min(numbers) + 1 - len(numbers)


HISTORY_3 = "1\t0/3000150\tno recovery target specified\n\n# a comment\n2\t0/5000000\tbefore transaction 7\n"


def test_the_ancestry_is_read_from_a_history_file() -> None:
    assert [(fork.parent, format_lsn(fork.lsn)) for fork in parse_history(HISTORY_3)] == [
        (1, "0/3000150"),
        (2, "0/5000000"),
    ]


def test_a_position_lies_on_the_timeline_that_the_way_to_the_target_takes() -> None:
    chain = chain_to(3, {3: HISTORY_3})
    assert [timeline_at(chain, lsn) for lsn in (0x3000100, 0x3000150, 0x4000000, 0x5000000)] == [1, 2, 2, 3]
    assert lies_on(chain, 1, 0x3000000)
    assert not lies_on(chain, 1, 0x3000200)
    assert not lies_on(chain, 4, 0x3000000)


def test_where_a_branch_begins_its_own_copy_of_the_segment_is_needed() -> None:
    chain = chain_to(3, {3: HISTORY_3})
    assert segments_needed(chain, 0x2000028, 0x6000001) == [*names(1, 2), *names(2, 3, 4), *names(3, 5, 6)]


def test_the_first_timeline_needs_no_history() -> None:
    assert segments_needed(chain_to(1, {}), 0x2000028, 0x3000000) == names(1, 2)


def test_a_missing_or_broken_history_is_refused_with_what_to_do() -> None:
    with pytest.raises(RecoveryError, match="history of timeline 2 is missing"):
        chain_to(2, {})
    with pytest.raises(RecoveryError, match="cannot be read"):
        chain_to(2, {2: "garbage\n"})


def test_a_later_timeline_starts_where_its_parent_was_left() -> None:
    spans = chain_to(3, {3: HISTORY_3}).spans
    assert [(span.timeline, span.start, span.end) for span in spans] == [
        (1, Lsn(0), Lsn(0x3000150)),
        (2, Lsn(0x3000150), Lsn(0x5000000)),
        (3, Lsn(0x5000000), None),
    ]
