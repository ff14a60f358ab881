"""The practice company's two operators: named in its settings, enrolled, with codes that count."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pyotp
import pytest

from actions.engine.errors import Refused
from actions.settings.settings import Settings
from actions.settings.settings_file import read
from bot.terminal.code_secrets import Keys
from bot.terminal.context import Caller
from bot.terminal.operators import operator_of
from lab import company, operators
from lab.home import Lab


def test_both_are_named_enrolled_and_somebody_of_the_room(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    operators.enrol(lab)
    settings = Settings.model_validate(tomllib.loads(operators.settings(lab))).operators
    keys = Keys(Path(settings.keys), os.getuid())
    asks, approves = settings.people
    assert [(one.slack, one.may_ask, one.may_approve) for one in settings.people] == [
        ("U0ONCALL", True, False),
        ("U0APPROVER", True, True),
    ]
    assert (keys.enrolled(asks), keys.enrolled(approves)) == (True, True)
    assert operator_of(settings, Caller(os.getuid())) == asks
    assert operator_of(settings, Caller(0, str(operators.NOBODY))) == approves


def test_starting_again_keeps_their_secrets_and_the_codes_are_right(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    operators.enrol(lab)
    secrets = {one.id: Keys(tmp_path / operators.KEYS, os.getuid()).secret(one) for one in operators.people()}
    operators.enrol(lab)
    for who, secret in secrets.items():
        assert pyotp.TOTP(secret).verify(operators.code_of(lab, who), valid_window=1)


def test_nobody_else_has_a_code(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="There is no operator"):
        operators.code_of(Lab(tmp_path), "dba")


def test_the_line_points_other_commands_at_the_company(tmp_path: Path) -> None:
    assert f"export MAYDAY_CONFIG={tmp_path / 'mayday.toml'}" in operators.how_to(tmp_path / "mayday.toml")


def test_where_mayday_is_on_no_path_it_is_put_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    [line] = [line for line in operators.how_to(tmp_path / "m.toml") if line.startswith("export PATH=")]
    assert (Path(line.removeprefix("export PATH=").removesuffix(":$PATH")) / "mayday").exists()


def test_the_settings_of_the_company_name_both_and_purging_forgets_them(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.write_state(ports=dict.fromkeys(("queue", "functions", "auth", "hasura"), 9))
    company.write_settings(lab)
    settings = read(company.settings_file(lab), {}, {})
    assert [one.id for one in settings.operators.people] == ["oncall", "approver"]
    assert Path(settings.operators.keys).is_dir()
    company._forget(lab)
    assert not Path(settings.operators.keys).exists()
