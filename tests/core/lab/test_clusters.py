"""The judge of the random clusters: whatever is not as it was is found, and the same number draws the same cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.clusters.amid import journal_differences
from tests.clusters.dice import Dice
from tests.clusters.kind import draw, wanted
from tests.clusters.kinds import KINDS
from tests.clusters.picture import Difference, Picture, Sequence, differences, parse_dump
from tests.clusters.preview import truth_of, wrong_claims
from tests.clusters.table import longest, table
from tests.clusters.verdict import Outcome, Verdict, judge

DUMP = r"""--
-- PostgreSQL database dump
--
\restrict xyz
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
--
-- Name: t; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.t (
    id integer NOT NULL,
    v text
);

--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: postgres
--

COPY public.t (id, v) FROM stdin;
2	-- Name: x; Type: TABLE; Schema: y; Owner: z
1	one

\.


--
-- Name: t_id_seq; Type: SEQUENCE SET; Schema: public; Owner: postgres
--

SELECT pg_catalog.setval('public.t_id_seq', 7, true);
"""


def picture(**fields: object) -> Picture:
    objects = {"appdb": parse_dump(DUMP), "shop": {}}
    given = Picture(
        {"appdb": "as it is", "shop": "as it is"},
        objects,
        ("CREATE ROLE app;",),
        {"appdb": {"public.s": Sequence(10)}},
        ("g in appdb",),
    )
    return replace(given, **fields)  # type: ignore[arg-type]


def told(seen: Picture) -> list[str]:
    return [str(one) for one in differences(picture(), seen)]


def test_a_dump_is_read_object_by_object_and_row_by_row() -> None:
    objects = parse_dump(DUMP)
    assert set(objects) == {"TABLE public.t", "TABLE DATA public.t"}
    rows = objects["TABLE DATA public.t"]
    assert "1\tone" in rows
    assert "2\t-- Name: x; Type: TABLE; Schema: y; Owner: z" in rows
    assert "" in rows


def test_rows_in_another_order_are_the_same_rows() -> None:
    turned = DUMP.replace("1\tone\n\n", "").replace(
        "COPY public.t (id, v) FROM stdin;\n", "COPY public.t (id, v) FROM stdin;\n\n1\tone\n"
    )
    assert turned != DUMP
    assert parse_dump(turned) == parse_dump(DUMP)


def test_pictures_that_are_alike_do_not_differ() -> None:
    assert told(picture()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1\tone\n", "", "appdb: TABLE DATA public.t: 1 lines missing, 0 too many"),
        ("1\tone\n", "1\tone\n1\tone\n", "appdb: TABLE DATA public.t: 0 lines missing, 1 too many"),
        ("1\tone\n", "1\toops\n", "appdb: TABLE DATA public.t: 1 lines missing, 1 too many"),
        ("    v text\n", "    v text,\n    extra text\n", "appdb: TABLE public.t: 1 lines missing, 2 too many"),
    ],
)
def test_a_row_or_a_column_more_or_less_is_found(old: str, new: str, said: str) -> None:
    seen = told(picture(objects={"appdb": parse_dump(DUMP.replace(old, new)), "shop": {}}))
    assert len(seen) == 1
    assert seen[0].startswith(said)


def test_a_table_that_is_gone_is_found() -> None:
    assert told(picture(objects={"appdb": {}, "shop": {}})) == [
        "appdb: TABLE DATA public.t: is missing",
        "appdb: TABLE public.t: is missing",
    ]


@pytest.mark.parametrize(
    ("databases", "said"),
    [
        ({"appdb": "as it is"}, "cluster: database shop: is missing"),
        ({"appdb": "as it is", "shop": "limit -2"}, "cluster: database shop: is limit -2 instead of as it is"),
        ({"appdb": "as it is", "shop": "as it is", "x": ""}, "cluster: database x: should not be there"),
    ],
)
def test_a_database_that_is_missing_or_otherwise_is_found(databases: dict[str, str], said: str) -> None:
    assert told(picture(databases=databases)) == [said]


def test_roles_and_prepared_transactions_are_looked_at() -> None:
    assert "1 lines missing" in told(picture(roles=()))[0]
    assert told(picture(prepared=())) == ["cluster: prepared transaction g in appdb: is lost"]
    assert "should not be open" in told(picture(prepared=("g in appdb", "h in appdb")))[0]


@pytest.mark.parametrize(("value", "fine"), [(10, True), (42, True), (9, False), (60, False), (None, False)])
def test_a_sequence_may_be_ahead_by_what_wal_is_written_ahead_and_never_behind(value: int | None, fine: bool) -> None:
    assert (told(picture(sequences={"appdb": {"public.s": Sequence(value)}})) == []) is fine


KEYED = (
    DUMP.replace("2\t-- Name: x; Type: TABLE; Schema: y; Owner: z\n1\tone\n\n", "1\ta\n2\tb\n3\tc\n")
    + """
--
-- Name: t t_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (id);
"""
)


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        ("2\tb\n", "2\tx\n", "0 come back, 0 go, 1 change back"),
        ("2\tb\n", "", "1 come back, 0 go, 0 change back"),
        ("2\tb\n", "4\tb\n5\tb\n", "1 come back, 2 go, 0 change back"),
        (" PRIMARY KEY", " UNIQUE", "None"),
        ("    v text\n", "    v character varying\n", "None"),
    ],
)
def test_what_the_preview_says_of_a_table_has_to_be_so(old: str, new: str, right: str) -> None:
    clone, live = (Picture({}, {"appdb": parse_dump(text)}) for text in (KEYED, KEYED.replace(old, new)))
    assert str(truth_of(clone.objects["appdb"], live.objects["appdb"], "public.t")) == right

    def wrong(words: str) -> list[str]:
        tables = [{"name": "public.t", "words": words, "rows": 1}] if words else []
        return [str(one) for one in wrong_claims(clone, live, {"tables": tables, "not_compared": []}, "appdb")]

    if right == "None":
        assert wrong("") == []
        return
    assert wrong("") == [f"preview: public.t: is called alike, but {right}"]
    assert len(wrong("7 rows come back, 1 row goes")) == 1
    assert (
        wrong(
            right.replace("0 come back, ", "")
            .replace(" go, ", " rows go, ")
            .replace(" come back", " rows come back")
            .replace(" change back", " rows change back")
        )
        == []
    )
    assert wrong("about 7 rows come back") == []


def test_a_table_of_another_database_that_was_not_compared_is_not_called_alike() -> None:
    clone, live = (Picture({}, {"shop": parse_dump(text)}) for text in (KEYED, KEYED.replace("2\tb\n", "")))
    assert [one.name for one in wrong_claims(clone, live, {}, "appdb")] == ["shop.public.t"]
    assert list(wrong_claims(clone, live, {"not_compared": ["shop.public.t: no time was left"]}, "appdb")) == []


JOURNAL = {n: f"2026-01-01T10:00:00.{n:06}Z" for n in range(1, 11)}


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ([1, 2, 3, 4, 5], ""),
        ([1, 2, 3, 5], ""),
        ([1, 2, 3], ""),
        ([1, 2], "lacks 3 rows"),
        ([1, 2, 3, 4, 5, 6], "has rows that were committed after"),
        ([], "lacks 5 rows"),
    ],
)
def test_amid_commits_nothing_later_may_be_there_and_only_the_same_instant_may_be_missing(
    there: list[int], said: str
) -> None:
    found = [one.what for one in journal_differences("appdb", JOURNAL[5], JOURNAL, there, sessions=2)]
    assert (found[0].startswith(said) and len(found) == 1) if said else found == []


def test_what_was_said_beforehand_is_wrong_but_not_called_right() -> None:
    lost = Difference("appdb", "TABLE DATA public.sessions", "is missing")
    assert judge([], "") is Outcome.RIGHT
    assert judge([lost], "Healthy\nsessions: 300 rows") is Outcome.WRONG
    assert judge([lost], "! The unlogged table sessions will be empty.") is Outcome.WRONG_AND_SAID
    assert judge([lost, replace(lost, name="TABLE public.other")], "! sessions") is Outcome.WRONG


def test_the_same_number_draws_the_same_cluster_and_another_one_another() -> None:
    def names(index: int) -> list[str]:
        return [kind.name for kind in draw(wanted(KINDS, ""), Dice(7, index))]

    assert names(3) == names(3)
    assert len({tuple(names(index)) for index in range(20)}) > 15


def test_a_cluster_has_one_kind_of_each_group_and_none_that_exclude_each_other() -> None:
    groups = {kind.group for kind in KINDS if kind.group}
    for index in range(200):
        kinds = draw(wanted(KINDS, "*"), Dice(1, index))
        drawn = [kind.group for kind in kinds if kind.group]
        assert len(drawn) == len(set(drawn)) <= len(groups)
        names = {kind.name for kind in kinds}
        assert not any(names & set(kind.against) for kind in kinds)


def test_a_kind_that_is_switched_off_changes_no_other_decision() -> None:
    on = wanted(KINDS, "")
    without = [kind for kind in on if kind.name != "checksums"]
    for index in range(30):
        all_, fewer = draw(on, Dice(5, index)), draw(without, Dice(5, index))
        assert [kind for kind in all_ if kind.name != "checksums"] == list(fewer)


def test_kinds_can_be_named_and_all_others_are_the_ordinary_ones() -> None:
    kinds = wanted(KINDS, "gzip, two bases")
    assert {kind.name for kind in kinds if kind.group in ("archive", "base")} == {"gzip", "two bases"}
    assert {kind.name for kind in kinds if kind.group == "data"} == {"bind mount"}
    assert not [kind for kind in kinds if not kind.group]


def test_every_kind_that_another_excludes_exists() -> None:
    names = {kind.name for kind in KINDS}
    assert len(names) == len(KINDS)
    assert {name for kind in KINDS for name in kind.against} <= names


def test_the_table_names_outcomes_kinds_and_the_numbers_of_what_is_not_fine() -> None:
    verdicts = [Verdict(n, Outcome.RIGHT, ("gzip",)) for n in range(1, 6)]
    verdicts[2] = replace(verdicts[2], outcome=Outcome.WRONG, kinds=("gzip", "slots"))
    said = table(verdicts, 7)
    assert "4 right" in said
    assert "WRONG AND CALLED RIGHT  3" in said
    assert "1 of   1  slots" in said
    assert longest(verdicts) == 2


def test_a_verdict_comes_back_from_its_line_of_json() -> None:
    verdict = Verdict(3, Outcome.WRONG, ("gzip",), "time: t", "cut over", ("a", "b"), ("did",), 2.5)
    assert Verdict.of_json(verdict.to_json()) == verdict
