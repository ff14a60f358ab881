"""What the doctor says where the workspace belongs to an organisation of Enterprise Grid."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient

from actions.findings import Finding
from actions.settings.settings import Settings
from bot.slack import slack_doctor


class Answer(dict[str, Any]):
    """What auth.test says, with the scopes in its headers."""

    @property
    def headers(self) -> dict[str, str]:
        return {"x-oauth-scopes": ",".join(slack_doctor.SCOPES)}


class Grid(WebClient):
    """A workspace that knows the bot and nothing else."""

    def __init__(self, **said: Any) -> None:
        super().__init__(token="xoxb-test")
        self.said = said

    def auth_test(self, **_more: Any) -> Any:
        return Answer(user="mayday", team="acme", **self.said)

    def apps_connections_open(self, *, app_token: str, **_more: Any) -> Any:
        return {"ok": True}


def grid(monkeypatch: pytest.MonkeyPatch, **said: Any) -> Finding | None:
    monkeypatch.setattr(slack_doctor, "client_for", lambda _settings: Grid(**said))
    found = {one.name: one for one in slack_doctor.check(Settings())}
    assert found["Slack bot token"].ok
    return found.get("Slack Enterprise Grid")


def test_a_workspace_of_a_grid_is_told_what_of_it_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert grid(monkeypatch) is None
    one, whole = (grid(monkeypatch, enterprise_id="E1", is_enterprise_install=whole) for whole in (False, True))
    assert one is not None
    assert whole is not None
    assert (one.ok, whole.ok) == (True, False)
    assert "members" in one.seen
    assert "Install it in the workspace" in whole.do
