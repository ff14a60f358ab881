"""What a text means, however it was typed or pasted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.engine.errors import Refused
from bot.commands.parse_command import LookCommand, Meaning, ProcedureCommand, RunCommand, UnknownCommand, meaning
from bot.commands.plain_text import tidy
from tests.support.bot_world import CATALOG, PITR, VERIFY, WINDOW


@pytest.mark.parametrize(
    "text",
    [
        "postgres pitr 14:30:05",
        "  Postgres   PITR\n14:30:05 ",
        "“postgres pitr 14:30:05”",
        "postgres pitr “14:30:05”",
        "postgres 'pitr' `14:30:05`",
        "postgres\u00a0pitr\u202f14:30:05",
        "post\u200bgres pi\u00adtr 14:30:05\ufeff",
        ":fire: postgres pitr 14:30:05 :rotating_light:",
        "🔥 postgres pitr 14:30:05 🚨🏽",
        "<@U0MAYDAY> postgres pitr 14:30:05",
        "<@U0MAYDAY|mayday> recover postgres pitr 14:30:05",
        "@Mayday, recover postgres pitr 14:30:05",
        "!recover postgres pitr 14:30:05",
        "/recover postgres pitr 14:30:05",
        "recover postgres pitr 14:30:05",
        "ｐｏｓｔｇｒｅｓ pitr 14:30:05",
        "*postgres pitr 14:30:05*",
    ],
)
def test_the_same_command_is_understood_however_it_is_typed(text: str) -> None:
    assert meaning(text, CATALOG) == ProcedureCommand(PITR, "14:30:05")


@pytest.mark.parametrize(
    "when",
    [
        "2026-02-09 14:30",
        "14:30 Europe/Berlin",
        "yesterday 14:30",
        "20m ago",
        "before xid 91822",
        "before lsn 0/5A3F2C8",
        "latest",
        "payload",
        "{0} {name.__class__} %s $(id) ; rm",
    ],
)
def test_arguments_reach_the_procedure_as_they_are(when: str) -> None:
    assert meaning(f"postgres pitr {when}", CATALOG) == ProcedureCommand(PITR, when)


def test_the_longest_command_wins_and_needs_no_arguments() -> None:
    assert meaning("postgres verify", CATALOG) == ProcedureCommand(VERIFY, "")
    assert meaning("window", CATALOG) == ProcedureCommand(WINDOW, "")
    assert meaning("postgres pitr", CATALOG) == ProcedureCommand(PITR, "")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", LookCommand("offers")),
        ("help", LookCommand("help")),
        ("help pitr", LookCommand("help", "pitr")),
        ("STATUS", LookCommand("status")),
        ("runs", LookCommand("runs")),
        ("runs r1122-k7f3", LookCommand("runs", "r1122-k7f3")),
        ("stop R1122-K7F3", RunCommand("stop", "r1122-k7f3")),
        ("undo `r1122-k7f3`", RunCommand("undo", "r1122-k7f3")),
        ("@Mayday undo", RunCommand("undo")),
        ("retry r1", RunCommand("retry", "r1")),
    ],
)
def test_looks_and_words_to_a_run(text: str, meant: object) -> None:
    assert meaning(text, CATALOG) == meant


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("postgres pitrr 14:30", "/recover postgres pitr 14:30"),
        ("postgers pitr 20m ago", "/recover postgres pitr 20m ago"),
        ("pitrr 14:30", "/recover postgres pitr 14:30"),
        ("pitr 14:30", "/recover postgres pitr 14:30"),
        ("statsu", "/recover status"),
        ("windw", "/recover window"),
        ("undoo r1122-k7f3", "/recover undo r1122-k7f3"),
        ("make me a sandwich please", ""),
    ],
)
def test_typos_get_the_nearest_command(text: str, nearest: str) -> None:
    found = meaning(text, CATALOG)
    assert isinstance(found, UnknownCommand)
    assert found.nearest == nearest


def test_other_commands_are_unknown_in_their_own_name() -> None:
    assert meaning("chaos", CATALOG, "drill") == UnknownCommand("chaos", "", "drill")
    assert meaning("help", CATALOG, "backup") == LookCommand("help", "backup")


def test_three_thousand_characters_are_read_and_one_more_is_refused() -> None:
    found = meaning("postgres pitr " + "x" * 2986, CATALOG)
    assert isinstance(found, ProcedureCommand)
    assert len(found.arguments) == 2986
    with pytest.raises(Refused, match="too long"):
        meaning("x" * 3001, CATALOG)


def test_slacks_escapes_and_links_become_text_again() -> None:
    assert tidy("a &lt;b&gt; &amp; <https://example.org/x|example.org> :tada: 1:30:05") == "a <b> & example.org 1:30:05"


@given(st.text(max_size=300))
def test_no_text_surprises_the_reader(text: str) -> None:
    assert isinstance(meaning(text, CATALOG), Meaning)


@given(st.text(max_size=300))
def test_tidy_text_has_no_invisible_or_doubled_spaces(text: str) -> None:
    once = tidy(text)
    assert once == " ".join(once.split())
    assert not any(mark in once for mark in "\u200b\u200d\ufeff\u00a0\n\t“”’")
