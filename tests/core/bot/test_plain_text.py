"""Slack's own marks become words, wherever text is kept."""

from __future__ import annotations

import pytest

from bot.commands.plain_text import tidy, worded


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("see <#C0BILLING|billing> and <#C0OTHER>", "see #billing and #C0OTHER"),
        ("<!subteam^S0DB|@oncall-db> <!subteam^S0X>", "@oncall-db a group"),
        ("<!here> <!channel|@channel> <!everyone>", "@here @channel @everyone"),
        ("<!date^1392734382^Posted {date_num}|on Tuesday>", "on Tuesday"),
        ("<@U0ANA> and <@U0BO|bo>", "@Ana Lima and @bo"),
        ("<@U0GONE>", "@U0GONE"),
        ("<https://x.org/a?b=1&amp;c=2>", "https://x.org/a?b=1&c=2"),
        ("<https://x.org|the board>", "the board (https://x.org)"),
        ("<mailto:a@x.org|a@x.org> <tel:+491|call>", "a@x.org call (+491)"),
        ("one\ntwo", "one\ntwo"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_what_was_written_is_kept_as_others_read_it(wire: str, words: str) -> None:
    assert worded(wire, _name) == words


def _name(user: str) -> str:
    return {"U0ANA": "Ana Lima"}.get(user, "")


def test_a_command_has_no_marks_either_but_those_of_people() -> None:
    assert tidy("declare <#C0|billing> is down <!subteam^S|@oncall-db> <@U0ANA>") == (
        "declare #billing is down @oncall-db <@U0ANA>"
    )
