"""The webhook subscription and the doctor's lines of PagerDuty, against the practice PagerDuty."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from actions.engine.errors import RecoveryError, Refused
from actions.findings import Finding
from actions.settings.kept_secrets import kept_secrets, with_kept_secrets
from actions.settings.outside import PagerDutySettings
from actions.settings.settings import Settings
from lab.pagerduty.client import RunningPracticePagerDuty
from tests.support.paging import Listener, certificates, eventually, listener, pagerduty, rest, settings_for
from workers.doctor.pagerduty_checks import check
from workers.pagerduty.webhook_subscription import Connected, Webhooks, connect

__all__ = ["certificates", "listener", "pagerduty"]
pytestmark = pytest.mark.parts
URL = "https://mayday.example/pagerduty/webhook"


def lines(pagerduty: RunningPracticePagerDuty, **more: Any) -> dict[str, Finding]:
    found = check(Settings(pagerduty=settings_for(pagerduty, **more)))
    return {one.name.removeprefix("PagerDuty "): one for one in found}


def test_connecting_keeps_the_secret_and_prints_it_nowhere(
    pagerduty: RunningPracticePagerDuty, listener: Listener, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, said = tmp_path / "deep" / "secrets", list[str]()
    settings = settings_for(pagerduty, secrets_file=str(kept))
    id = connect(settings, listener.url, said.append)
    eventually(lambda: listener.events)
    assert [event["event_type"] for event in listener.events] == ["pagey.ping"]
    [secret] = kept_secrets(str(kept))
    assert pagerduty.stand_in.account.subscriptions[id].secrets == [secret]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert secret not in "".join((*said, *capsys.readouterr()))
    assert secret not in repr(Connected(id, secret))
    pagerduty.page("Rows vanished")
    eventually(lambda: len(listener.events) == 2)
    known = with_kept_secrets(Settings(pagerduty=settings)).pagerduty.webhook_secrets
    assert [one.get_secret_value() for one in known] == ["practice-webhook-secret", secret]


def test_connecting_again_changes_nothing_unless_it_renews(pagerduty: RunningPracticePagerDuty, tmp_path: Path) -> None:
    settings, said = settings_for(pagerduty, secrets_file=str(tmp_path / "secrets")), list[str]()
    first = connect(settings, URL, said.append)
    secrets = kept_secrets(settings.secrets_file)
    assert connect(settings, URL, said.append) == first
    assert "Nothing was changed" in said[-2]
    assert kept_secrets(settings.secrets_file) == secrets
    for _ in range(4):
        second = connect(settings, URL, said.append, renew=True)
    assert [hook.id for hook in Webhooks(settings).all()] == [second] != [first]
    assert len(kept_secrets(str(tmp_path / "secrets"))) == 3


def test_a_subscription_that_will_not_do_is_not_taken_for_one_that_does(
    pagerduty: RunningPracticePagerDuty, tmp_path: Path
) -> None:
    settings = settings_for(pagerduty, secrets_file=str(tmp_path / "secrets"))
    made = Webhooks(settings).create(URL)
    with pytest.raises(Refused, match="already") as refused:
        connect(settings, URL, print)
    assert "--renew" in refused.value.hint
    (tmp_path / "secrets").write_text("known\n")
    rest(pagerduty).rput(f"/webhook_subscriptions/{made.id}", json={"active": False})
    with pytest.raises(Refused, match="switched off"):
        connect(settings, URL, print)
    assert [hook.id for hook in Webhooks(settings).all()] == [made.id]


def test_without_a_place_for_the_secret_nothing_is_made(pagerduty: RunningPracticePagerDuty, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        connect(settings_for(pagerduty), URL, print)
    (tmp_path / "file").write_text("in the way")
    (tmp_path / f"secrets.{os.getpid()}.new").mkdir()
    for place in (tmp_path / "file" / "secrets", tmp_path / "secrets"):
        with pytest.raises(RecoveryError) as refused:
            connect(settings_for(pagerduty, secrets_file=str(place)), URL, print)
        assert refused.value.hint
    assert pagerduty.state()["subscriptions"] == []


@pytest.mark.parametrize("url", ["", "mayday.example", "ftp://mayday.example/x", "https:///x"])
def test_what_is_no_address_is_refused(pagerduty: RunningPracticePagerDuty, tmp_path: Path, url: str) -> None:
    with pytest.raises(Refused, match="no address"):
        connect(settings_for(pagerduty, secrets_file=str(tmp_path / "secrets")), url, print)


def test_a_file_of_secrets_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert kept_secrets(str(tmp_path / "nothing")) == kept_secrets("") == ()
    with pytest.raises(Refused) as refused:
        kept_secrets(str(tmp_path))
    assert refused.value.hint


def test_without_a_token_there_is_nothing_to_look_at() -> None:
    [only] = check(Settings())
    assert only.ok
    assert check(Settings(pagerduty=PagerDutySettings())) == [only]


def test_all_is_well(pagerduty: RunningPracticePagerDuty) -> None:
    Webhooks(settings_for(pagerduty)).create(URL)
    found = lines(pagerduty, services={"PSVCPOSTGRES": "nself-postgres", "nself-redis": "nself-redis"})
    assert {name: one.ok for name, one in found.items()} == dict.fromkeys(
        ("token", "sender", "on call", "webhook", "paging key"), True
    )
    assert found["on call"].seen == "Carla Teng, Olga Nowak"
    assert found["token"].seen == "12 services, 2 of them mapped"


@pytest.mark.parametrize(
    ("wrong", "line", "do"),
    [
        ({"token": SecretStr("wrong")}, "token", "pagerduty.token"),
        ({"services": {"PNOTHERE": "nself-postgres"}}, "token", "pagerduty.services"),
        ({"sender": ""}, "sender", "pagerduty.sender"),
        ({"sender": "stranger@practice.example"}, "sender", "pagerduty.sender"),
        ({"policies": ("PNOTHERE",)}, "on call", "pagerduty.policies"),
        ({"routing_key": SecretStr("")}, "paging key", "pagerduty.routing_key"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    pagerduty: RunningPracticePagerDuty, wrong: dict[str, Any], line: str, do: str
) -> None:
    found = lines(pagerduty, **wrong)[line]
    assert not found.ok
    assert do in found.do


def test_an_empty_rota_is_found(pagerduty: RunningPracticePagerDuty) -> None:
    pagerduty.absent("cto")
    assert not lines(pagerduty, policies=("PEPCTOX",))["on call"].ok
    pagerduty.absent()
    assert lines(pagerduty, policies=("PEPCTOX",))["on call"].seen == "Carla Teng"


def test_a_disabled_subscription_is_found(pagerduty: RunningPracticePagerDuty, listener: Listener) -> None:
    assert "every 15 s" in lines(pagerduty)["webhook"].seen
    made = Webhooks(settings_for(pagerduty)).create(listener.url)
    listener.answers = [401, 401, 401]
    for _ in range(3):
        pagerduty.page("Rows vanished")
    eventually(lambda: pagerduty.state()["subscriptions"][0]["temporarily_disabled"])
    found = lines(pagerduty)["webhook"]
    assert not found.ok
    assert "disabled by PagerDuty" in found.seen
    Webhooks(settings_for(pagerduty)).enable(made.id)
    assert lines(pagerduty)["webhook"].ok
    assert not lines(pagerduty, webhook_secrets=())["webhook"].ok
    rest(pagerduty).rput(f"/webhook_subscriptions/{made.id}", json={"active": False})
    assert lines(pagerduty)["webhook"].seen.endswith("is switched off")


def test_when_nobody_answers_the_first_line_says_so_and_ends_it(pagerduty: RunningPracticePagerDuty) -> None:
    pagerduty.fault("down")
    found = lines(pagerduty)
    assert list(found) == ["token", "paging key"]
    assert not found["token"].ok
