"""The limits of what is taken for a name, a position, a text: the last that is one and the first that is none."""

from __future__ import annotations

import pytest

from actions.engine.errors import RecoveryError
from actions.postgres.labels import parse_label
from actions.postgres.lost_rows import FIRST_USER_RELATION, RowCounts, parse_losses
from actions.postgres.lsn import Lsn
from actions.postgres.quoting import literal
from actions.postgres.segments import per_log, previous_segment, segment_number, segments_between
from actions.postgres.timelines import Chain, Span, lies_on

FIRST, SECOND = "000000010000000000000001", "000000010000000000000002"


def test_segments_have_a_size_that_postgresql_knows() -> None:
    assert per_log(16 << 20) == 256
    for size in (0, 12345, 3 << 20):
        with pytest.raises(ValueError, match="not a WAL segment size"):
            per_log(size)


@pytest.mark.parametrize("name", ["notes", "00000002.history", "000000010000000000000100"])
def test_what_is_no_segment_of_that_size_has_no_number(name: str) -> None:
    assert segment_number("0000000100000000000000FF") == 255
    with pytest.raises(ValueError, match="not a WAL segment of 16777216 bytes"):
        segment_number(name)


def test_the_first_segment_has_none_before_it() -> None:
    assert previous_segment(SECOND) == FIRST
    for name in (FIRST, "000000010000000000000000"):
        with pytest.raises(ValueError, match="no WAL segment comes before"):
            previous_segment(name)


def test_segments_of_two_timelines_have_none_between_them() -> None:
    assert list(segments_between(FIRST, SECOND)) == [FIRST, SECOND]
    with pytest.raises(ValueError, match="different timelines"):
        list(segments_between(FIRST, f"00000002{SECOND[8:]}"))


def test_the_fork_itself_still_lies_on_the_timeline_that_was_left() -> None:
    chain = Chain(2, (Span(1, Lsn(0), Lsn(100)), Span(2, Lsn(100), None)))
    assert [lies_on(chain, 1, lsn) for lsn in (99, 100, 101)] == [True, True, False]
    assert lies_on(chain, 2, 10**9)
    assert not lies_on(chain, 3, 50)


@pytest.mark.parametrize("text", ["", "rel\t1663/5/16384\t1\t0\t0"])
def test_a_count_of_rows_that_was_cut_off_is_none(text: str) -> None:
    assert parse_losses("end\n").rows == ()
    with pytest.raises(ValueError, match="ended early"):
        parse_losses(text)


def test_a_text_with_a_zero_byte_is_none_of_postgresql() -> None:
    assert literal("it's") == "'it''s'"
    with pytest.raises(ValueError, match="no text of PostgreSQL"):
        literal("a\0b")


def test_a_label_whose_place_is_none_is_not_read() -> None:
    with pytest.raises(RecoveryError, match="label of a base backup cannot be read") as trouble:
        parse_label("START WAL LOCATION: somewhere\nCHECKPOINT LOCATION: 0/28\n")
    assert "WAL location 'somewhere'" in trouble.value.detail


def test_the_first_relation_of_people_is_one_of_theirs() -> None:
    there = [RowCounts(f"1663/5/{n}", 1, 0, 0) for n in (FIRST_USER_RELATION - 1, FIRST_USER_RELATION)]
    assert [rows.user_data for rows in there] == [False, True]
