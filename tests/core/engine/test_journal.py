"""The hash chain: whoever touches what was written is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.ids import is_id
from actions.engine.journal import GENESIS, Entry, Kind, canonical, digest, first_broken, sealed

START = datetime(2026, 2, 9, 8, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def chain(length: int = 5, data: Any = None) -> list[Entry]:
    told: list[Entry] = []
    for n in range(1, length + 1):
        entry = Entry("r1", n, START + timedelta(seconds=n), Kind.NOTED, None, {"n": n, "more": data})
        told.append(sealed(entry, told[-1].hash if told else GENESIS))
    return told


def broken_at(told: list[Entry]) -> tuple[int, str] | None:
    found = first_broken(told)
    return (found[0].n, found[1]) if found else None


def test_a_whole_chain_holds_and_so_does_an_empty_one() -> None:
    assert first_broken(chain()) is None
    assert first_broken([]) is None


@given(st.dictionaries(TEXTS, VALUES, max_size=3))
@settings(max_examples=30)
def test_a_chain_holds_after_it_was_kept_as_json_whatever_people_typed(data: dict[str, Any]) -> None:
    told = chain(2, data)
    kept = [replace(e, data=json.loads(json.dumps(e.data))) for e in told]
    assert first_broken(kept) is None


@given(st.integers(0, 4), st.sampled_from(["data", "kind", "at", "step", "run"]))
@settings(max_examples=30)
def test_a_changed_entry_is_named_whatever_was_changed_about_it(which: int, what: str) -> None:
    told = chain()
    forged: dict[str, Any] = {"data": {"n": 99}, "kind": Kind.DONE, "at": START, "step": 7, "run": "r2"}
    told[which] = replace(told[which], **{what: forged[what]})
    assert broken_at(told) == (which + 1, "its text was changed after it was written")


def test_a_changed_entry_with_a_hash_of_its_own_breaks_the_one_after_it() -> None:
    told = chain()
    forged = replace(told[2], data={"n": 99})
    told[2] = replace(forged, hash=digest(forged))
    assert broken_at(told) == (4, "it is not chained to the entry before it")


def test_a_removed_entry_is_missed() -> None:
    told = chain()
    del told[2]
    assert broken_at(told) == (4, "entry 3 is missing")


def test_exchanged_entries_are_noticed_at_the_first() -> None:
    told = chain()
    told[1], told[2] = told[2], told[1]
    assert broken_at(told) == (3, "entry 2 is missing")


def test_entries_renumbered_to_hide_a_removal_are_noticed() -> None:
    told = chain()
    del told[1]
    told = [replace(e, n=n) for n, e in enumerate(told, 1)]
    assert broken_at(told) == (2, "it is not chained to the entry before it")


def test_the_same_moment_in_another_zone_has_the_same_hash() -> None:
    from_utc = chain(1)[0]
    elsewhere = replace(from_utc, at=from_utc.at.astimezone(datetime.now().astimezone().tzinfo))
    assert digest(from_utc) == digest(elsewhere)


def test_equal_values_have_one_text() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical(dict(sorted({"a": "ü", "b": 1}.items()))) == '{"a":"ü","b":1}'


def test_a_kind_of_a_later_version_is_one_and_what_is_no_text_is_none() -> None:
    assert Kind("sung") == "sung"
    with pytest.raises(ValueError, match="7 is not a valid Kind"):
        Kind(7)


@pytest.mark.parametrize("text", ["r0209-abcd", "e1231-z29y", "i0101-kkkk"])
def test_an_id_of_a_journal_is_told_from_other_texts(text: str) -> None:
    assert is_id(text)
    for other in (text[1:], text.upper(), f"{text}a", f" {text}", text.replace("-", "_"), f"x{text[1:]}", "r0209-ab1d"):
        assert not is_id(other)
