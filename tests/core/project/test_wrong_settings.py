"""A wrong or missing setting says which, in which file, and what to write; all problems of a file at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from actions.engine.errors import Refused
from actions.settings.needed import need_slack
from actions.settings.settings import Settings
from actions.settings.settings_file import read
from actions.settings.variables import PLACES, SECRETS, variables, variables_file

VARIABLES = [*PLACES.values(), *(name for names in SECRETS.values() for name in names.values())]


def told(tmp_path: Path, text: str, **environment: str) -> Refused:
    """The refusal of settings with that text."""
    with pytest.raises(Refused) as refused:
        settings(tmp_path, text, **environment)
    return refused.value


def settings(tmp_path: Path, text: str, **environment: str) -> Settings:
    file = tmp_path / "mayday.toml"
    file.write_text(text)
    said = variables(environment, variables_file(file))
    return read(file, said.secrets, said.places, said.read_in)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[slack]\nchanel = "C1"', "slack.chanel: there is no such setting; did you mean slack.channel?"),
        ('[slak]\nchannel = "C1"', "slak: there is no such setting; did you mean slack?"),
        ('channel = "C1"', "channel: there is no such setting here; it belongs below [slack], as channel = …"),
        (
            '[slack]\nredis = "redis://x"',
            "slack.redis: there is no such setting here; it belongs at the top of the file, above the first [table]",
        ),
        (
            "[slack.channel]\nid = 1",
            'slack.channel: a table stands where a text is wanted; write channel = "C0123456789"',
        ),
        ("slack = 7", "slack: a number stands where a table is wanted; write [slack] and its settings below it"),
        ("services = 7", 'services: a number stands where a list is wanted; write services = ["…"]'),
        ('[[services]]\nkind = "redis"', 'services.0.name: it is missing; write name = "…"'),
        (
            '[[services]]\nname = "a"\nkindd = "redis"',
            "services.0.kindd: there is no such setting; did you mean services.0.kind?",
        ),
        (
            '[people]\noperators = "U1"',
            'people.operators: a text stands where a list is wanted; write operators = ["U0123456789"]',
        ),
        ('[slack]\nmode = "sockets"', 'slack.mode: "sockets" is not known; write "socket" or "http"'),
        ('[web]\nenabled = "perhaps"', "web.enabled: a text stands where true or false is wanted"),
        ("[lanes]\nrecoveries = 0", "lanes.recoveries: 0 is out of range; it has to be at least 1"),
        ("[lanes]\nrecoveries = 99", "lanes.recoveries: 99 is out of range; it has to be at most 16"),
        (
            '[slack]\nchannel = "#ops-emergency"',
            "slack.channel: '#ops-emergency' is no channel's id; write the id (C…)",
        ),
        ('[people]\noperators = ["@ana"]', "people.operators: '@ana' is nobody's id; write the id (U…)"),
        ('[people]\noperators = ["S0OPS"]', "a group's id belongs into operator_groups"),
        ('[people]\napprover_groups = ["dba"]', "people.approver_groups: 'dba' is no user group's id"),
        ('[slack]\nbot_token = "xapp-1"', "slack.bot_token: this is an app-level token (xapp-…)"),
        ('[slack]\napp_token = "xoxb-1"', "slack.app_token: this is a bot token (xoxb-…)"),
        ('[slack]\nbot_token = "xoxp-1"', "slack.bot_token: this is the token of a person (xoxp-…)"),
        ('[slack]\nbot_token = "hunter2"', "slack.bot_token: this is no such token; bot_token begins with xoxb-"),
        ('[slack]\nbot_token = "xoxb-…"', "slack.bot_token: it has a space, a quotation mark or another sign"),
        ('[slack]\nsigning_secret = "xoxb-1"', "slack.signing_secret: this is a token; the signing secret"),
        ('operations_zone = "Berlin"', "operations_zone: 'Berlin' is no time zone; write for example Europe/Berlin"),
        ('store = "mayday.db"', "store: 'mayday.db…' begins no address of a store; write sqlite:////"),
        ('[operators]\n[[operators.people]]\nid = "Ana"\nname = "A"\nos_users = []', "operators.people.0.id: "),
    ],
)
def test_a_wrong_setting_says_which_and_what_to_write(tmp_path: Path, text: str, line: str) -> None:
    refused = told(tmp_path, text)
    assert line in refused.detail
    assert str(tmp_path / "mayday.toml") in refused.message


def test_all_that_is_wrong_in_a_file_is_told_at_once(tmp_path: Path) -> None:
    refused = told(tmp_path, 'zone = 1\n[slack]\nchanel = "C1"\nbot_token = "xapp-1"\n[people]\noperators = "U1"\n')
    assert refused.message == f"4 settings of {tmp_path / 'mayday.toml'} are not right."
    assert [line.split(":")[0] for line in refused.detail.splitlines()] == [
        "slack.bot_token",
        "slack.chanel",
        "people.operators",
        "zone",
    ]


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    refused = told(tmp_path, '[slack]\nbot_token = "hunter2"\n', MAYDAY_STORE="mysql://ana:hunter2@x/y")
    assert "hunter2" not in refused.words()


@pytest.mark.parametrize("section", sorted(Settings.model_fields))
@pytest.mark.parametrize("value", ['"text"', "7", "[7]", "{ a = 7 }"])
def test_a_value_of_the_wrong_kind_is_told_for_every_setting_at_the_top(
    tmp_path: Path, section: str, value: str
) -> None:
    problem = ""
    try:
        settings(tmp_path, f"{section} = {value}")
    except Refused as refused:
        problem = refused.detail
    # A text is right where texts stand, a number where numbers do.
    assert not problem or (section in problem and "Input should" not in problem)
    assert problem or (section, value) in (("anchors", '"text"'), ("redis", '"text"'), ("archive_days", "7"))


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_is_empty_is_none_that_is_given(tmp_path: Path, name: str) -> None:
    assert settings(tmp_path, "", **{name: ""}) == settings(tmp_path, "")


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("SLACK_BOT_TOKEN", "xapp-1", "slack.bot_token"),
        ("SLACK_APP_TOKEN", "xoxb-1", "slack.app_token"),
        ("SLACK_SIGNING_SECRET", "xapp-1", "slack.signing_secret"),
        ("MAYDAY_STORE", "mayday.db", "store"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name_and_place(tmp_path: Path, name: str, value: str, key: str) -> None:
    assert f"{key} ({name} in the environment): " in told(tmp_path, "", **{name: value}).detail
    (tmp_path / "mayday.env").write_text(f"{name}={value}\n")
    assert f"{key} ({name} in {tmp_path / 'mayday.env'}): " in told(tmp_path, "").detail


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_read_from_the_file_beside_and_the_environment_wins(tmp_path: Path, name: str) -> None:
    good = {"MAYDAY_STORE": "sqlite:///{}", "SLACK_BOT_TOKEN": "xoxb-{}", "SLACK_APP_TOKEN": "xapp-{}"}
    form = good.get(name, "redis://{}" if name == "MAYDAY_REDIS" else "{}")
    (tmp_path / "mayday.env").write_text(f"# secrets\nexport {name}='{form.format('file')}'\n")
    kept, won = settings(tmp_path, ""), settings(tmp_path, "", **{name: form.format("env")})
    shown = [secrets(one) for one in (kept, won)]
    assert form.format("file") in shown[0]
    assert form.format("env") in shown[1]


def secrets(of: Settings) -> list[str]:
    found: list[Any] = [of.store, of.redis]
    found += [getattr(getattr(of, section), key) for section, names in SECRETS.items() for key in names]
    return [one if isinstance(one, str) else one.get_secret_value() for one in found]


def test_a_line_of_the_file_of_variables_that_sets_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "mayday.env").write_text("SLACK_BOT_TOKEN=xoxb-1\nSLACK_APP_TOKEN xapp-1\n")
    refused = told(tmp_path, "")
    assert str(tmp_path / "mayday.env") in refused.message
    assert "Line 2" in refused.detail


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda file: None, "There is no settings file"),
        (lambda file: file.mkdir(), "cannot be read"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "cannot be read"),
        (lambda file: file.write_text("channel = C1"), "is no TOML"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_what_to_do(tmp_path: Path, made: Any, says: str) -> None:
    file = tmp_path / "mayday.toml"
    made(file)
    with pytest.raises(Refused, match=says) as refused:
        read(file, {}, {})
    assert str(file) in refused.value.message
    assert refused.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_variables_of_somebody_else_keeps_nobody_from_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "mayday.env").write_text("SLACK_BOT_TOKEN=xoxb-1\n")
    (tmp_path / "mayday.env").chmod(0)
    assert settings(tmp_path, "").slack.bot_token.get_secret_value() == ""


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", ["slack.bot_token", "slack.app_token", "slack.channel"]),
        ('[slack]\nmode = "http"', ["slack.bot_token", "slack.signing_secret", "slack.channel"]),
        ('[slack]\nchannel = "C1"\nbot_token = "xoxb-1"', ["slack.app_token"]),
        ('[slack]\nchannel = "C1"\nbot_token = "xoxb-1"\napp_token = "xapp-1"', []),
    ],
)
def test_the_bot_says_all_that_it_cannot_start_without(tmp_path: Path, text: str, missing: list[str]) -> None:
    file, given = tmp_path / "mayday.toml", settings(tmp_path, text)
    if not missing:
        return need_slack(given, file)
    with pytest.raises(Refused) as refused:
        need_slack(given, file)
    lines = refused.value.detail.splitlines()
    assert [line.split(":")[0] for line in lines] == missing
    assert all(str(file) in line or str(tmp_path / "mayday.env") in line for line in lines)
    return None
