"""The verdict in the manual's terms, and the comparison with an inventory."""

from __future__ import annotations

from typing import Any

import pytest

from actions.postgres.integrity import ALL, FULL, QUICK, CheckResult, Verdict, judge, judge_cluster, judge_one
from actions.postgres.inventory import Contents, TableCount
from actions.postgres.judgement import JUDGES, inventory_lines

HEALTHY: dict[str, Any] = {
    "table sizes": [{"schema": "public", "name": "nchat_messages", "bytes": 8192, "rows": 3}],
    "constraints": {"total": 6, "not_validated": []},
    "orphaned messages": {"orphans": 0, "no_channel": 0},
    "future timestamps": {"future": 0},
    "user counts": {"nchat_users": 50, "auth_users": 50},
    "indexes": {"total": 4, "invalid": []},
    "unindexed foreign keys": [],
    "disabled triggers": [],
    "checksum failures": {"failures": 0, "enabled": True},
    "foreign keys": [{"constraint": "fk", "table": "a", "parent": "b", "orphans": 0}],
    "sequences": [],
    "null keys": [],
    "files": [],
}


def verdict(**changes: Any) -> Verdict:
    values = HEALTHY | {name.replace("_", " "): value for name, value in changes.items()}
    return judge(CheckResult(name, value) for name, value in values.items())


def test_every_check_has_a_judge_and_the_six_of_the_manual_are_there() -> None:
    assert set(ALL) == set(JUDGES) == set(HEALTHY)
    assert sorted(check.manual for check in FULL if check.manual) == [1, 2, 3, 4, 5, 6]
    assert {check.name for check in QUICK} < set(ALL)


def test_a_sound_database_is_healthy() -> None:
    assert verdict().healthy
    assert verdict().text == "Healthy: 13 of 13 checks passed."


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("orphaned messages", {"orphans": 3, "no_channel": 0}, "Orphaned records: 3 messages with an invalid user_id"),
        ("orphaned messages", {"orphans": 0, "no_channel": 1}, "1 message with an invalid channel_id"),
        ("future timestamps", {"future": 2}, "Future timestamps detected: 2 messages"),
        (
            "user counts",
            {"nchat_users": 50, "auth_users": 56},
            "User count mismatch: 50 in nchat_users, 56 in auth.users",
        ),
        ("constraints", {"total": 6, "not_validated": ["fk on t"]}, "Constraints not validated: fk on t"),
        ("indexes", {"total": 4, "invalid": ["i1", "i2", "i3", "i4", "i5"]}, "Invalid indexes: i1, i2, i3 and 2 more"),
        ("disabled triggers", [{"trigger": "t", "table": "m"}], "Disabled triggers: t on m"),
        ("checksum failures", {"failures": 1, "enabled": True}, "Page checksum failures"),
        (
            "foreign keys",
            [{"constraint": "fk", "table": "a", "parent": "b", "orphans": 7}],
            "7 rows of a without their b (fk)",
        ),
        (
            "sequences",
            [{"sequence": "s", "table": "t", "column": "id", "last": 4, "start": 1, "highest": 9}],
            "s at 4, t.id at 9",
        ),
        ("null keys", [{"table": "t", "column": "id", "nulls": 1}], "1 row of t.id"),
        ("files", [{"oid": 1, "relation": "t", "path": "base/5/7"}], "Files missing on the disk: t (base/5/7)"),
    ],
)
def test_a_finding_needs_attention_and_is_told_in_numbers(name: str, value: Any, words: str) -> None:
    found = verdict(**{name: value})
    assert not found.healthy
    assert found.text.startswith("Needs attention: ")
    assert words in found.text


@pytest.mark.parametrize(("apart", "state"), [(0, "ok"), (1, "warning"), (5, "warning"), (6, "attention")])
def test_user_counts_may_differ_by_a_few(apart: int, state: str) -> None:
    assert judge_one(CheckResult("user counts", {"nchat_users": 50 + apart, "auth_users": 50})).state == state


def test_a_warning_is_told_but_healthy() -> None:
    found = verdict(unindexed_foreign_keys=[{"constraint": "fk", "table": "t"}])
    assert found.healthy
    assert "without an index" in found.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("orphaned messages", {"orphans": None, "no_channel": None}),
        ("future timestamps", {"future": None}),
        ("user counts", {"nchat_users": 5, "auth_users": None}),
        ("foreign keys", []),
    ],
)
def test_a_database_of_another_kind_is_not_blamed(name: str, value: Any) -> None:
    assert judge_one(CheckResult(name, value)).state == "not applicable"


def test_a_missing_column_is_not_applicable_but_any_other_error_needs_attention() -> None:
    assert (
        judge_one(CheckResult("future timestamps", error='ERROR: column "created_at" does not exist')).state
        == "not applicable"
    )
    assert judge_one(CheckResult("future timestamps", error="ERROR: invalid page in block 7")).state == "attention"


def test_an_unfinished_check_is_said_and_never_counted_as_passed() -> None:
    found = judge([CheckResult("sequences", []), CheckResult("foreign keys", finished=False)])
    assert found.text == "Healthy: 1 of 2 checks passed; every declared foreign key: not finished in time."
    assert found.count("unfinished") == 1


def test_nothing_checked_is_not_healthy() -> None:
    assert not judge([]).healthy


def contents(**changes: Any) -> Contents:
    base: dict[str, Any] = {
        "database": "nself_db",
        "total_bytes": 1,
        "tables": (TableCount("public", "m", 10, 1), TableCount("public", "u", 5, 1)),
        "indexes": ("public.m_pkey",),
        "constraints": ("public.m m_pkey",),
    }
    return Contents(**(base | changes))


def test_what_an_inventory_held_and_a_database_lacks_needs_attention() -> None:
    lines = inventory_lines(contents(), contents(tables=(TableCount("public", "m", 11, 1),), indexes=()))
    assert [(line.check, line.state) for line in lines] == [
        ("inventory: tables", "attention"),
        ("inventory: indexes", "attention"),
        ("inventory: constraints", "ok"),
        ("inventory: rows", "ok"),
    ]
    assert "public.u" in lines[0].text
    assert not judge([], lines).healthy


@pytest.mark.parametrize(("rows", "state"), [(10, "ok"), (12, "ok"), (9, "warning"), (0, "attention"), (None, "ok")])
def test_fewer_rows_than_the_inventory_are_told(rows: int | None, state: str) -> None:
    assert (
        inventory_lines(
            contents(), contents(tables=(TableCount("public", "m", rows, 1), TableCount("public", "u", 5, 1)))
        )[3].state
        == state
    )


def test_the_inventory_of_another_database_is_no_measure() -> None:
    assert inventory_lines(contents(), contents(database="other"))[0].state == "not applicable"


def test_what_does_not_apply_to_a_database_is_not_counted_as_not_passed() -> None:
    results = [CheckResult(name, value) for name, value in HEALTHY.items()]
    less = [
        CheckResult(r.check, None, "ERROR:  column m.channel_id does not exist")
        if r.check == "orphaned messages"
        else r
        for r in results
    ]
    found = judge_cluster({"app": results, "other": less}, own="app")
    assert found.text == "Healthy: 25 of 25 checks passed in 2 databases."
