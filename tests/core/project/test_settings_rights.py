"""Files that hold secrets are their owner's alone, or the doctor says which are not and what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.settings.file_rights import check


@pytest.mark.parametrize(
    ("text", "mode", "well"),
    [
        ('[slack]\nbot_token = "xoxb-1"', 0o644, False),
        ('[slack]\nbot_token = "xoxb-1"', 0o640, False),
        ('[slack]\nbot_token = "xoxb-1"', 0o600, True),
        ('redis = "redis://:geheim@127.0.0.1/0"', 0o644, False),
        ('[pagerduty]\nrouting_key = "R1"', 0o604, False),
    ],
)
def test_settings_with_a_secret_are_their_owners_alone(tmp_path: Path, text: str, mode: int, well: bool) -> None:
    file = tmp_path / "mayday.toml"
    file.write_text(text)
    file.chmod(mode)
    [found] = check(file)
    assert found.ok is well
    assert well or found.do == f"chmod 600 {file}"


def test_settings_without_a_secret_may_be_read_by_everybody(tmp_path: Path) -> None:
    file = tmp_path / "mayday.toml"
    file.write_text('[slack]\nchannel = "C1"')
    file.chmod(0o644)
    assert list(check(file)) == []


def test_the_file_of_variables_is_a_secret_whatever_stands_in_it(tmp_path: Path) -> None:
    file = tmp_path / "mayday.toml"
    file.write_text("")
    (tmp_path / "mayday.env").write_text("SLACK_BOT_TOKEN=xoxb-1")
    (tmp_path / "mayday.env").chmod(0o644)
    [found] = check(file)
    assert found.do == f"chmod 600 {tmp_path / 'mayday.env'}"
