"""`mayday pagerduty connect` and what the doctor says of it, as real commands against the practice PagerDuty."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from actions.settings.kept_secrets import kept_secrets
from lab.pagerduty.client import RunningPracticePagerDuty
from lab.pagerduty.company import MAYDAY_KEY, SENDER, TOKEN
from tests.support.bare_host import Host
from tests.support.paging import Listener, certificates, eventually, listener, pagerduty

__all__ = ["certificates", "listener", "pagerduty"]
pytestmark = pytest.mark.parts
TOKENS = {"PAGERDUTY_TOKEN": TOKEN, "PAGERDUTY_ROUTING_KEY": MAYDAY_KEY}


@pytest.fixture
def host(pagerduty: RunningPracticePagerDuty, tmp_path: Path) -> Host:
    return Host(
        tmp_path,
        f'[pagerduty]\napi_url = "{pagerduty.url}"\nevents_url = "{pagerduty.url}"\nca_file = "{pagerduty.ca_file}"\n'
        f'sender = "{SENDER}"\nsecrets_file = "{tmp_path / "secrets" / "webhook"}"\n',
    )


def doctor(host: Host) -> dict[str, Any]:
    """What the doctor says of the webhook."""
    said = host.type("doctor", "--json", **TOKENS)
    return next(dict(one) for one in json.loads(said.stdout) if one["name"] == "PagerDuty webhook")


def test_connecting_from_the_command_line_makes_one_subscription_and_keeps_its_secret(
    host: Host, pagerduty: RunningPracticePagerDuty, listener: Listener
) -> None:
    assert "none: incidents are looked for every" in doctor(host)["seen"]
    connected = host.type("pagerduty", "connect", listener.url, **TOKENS)
    assert connected.returncode == 0, connected.stderr
    [subscription] = pagerduty.state()["subscriptions"]
    eventually(lambda: [event["event_type"] for event in listener.events] == ["pagey.ping"])
    kept = host.folder / "secrets" / "webhook"
    [secret] = kept_secrets(str(kept))
    assert pagerduty.stand_in.account.subscriptions[subscription["id"]].secrets == [secret]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert secret not in connected.stdout + connected.stderr
    assert doctor(host) == {"name": "PagerDuty webhook", "ok": True, "seen": listener.url, "do": ""}

    again = host.type("pagerduty", "connect", listener.url, **TOKENS)
    assert (again.returncode, "Nothing was changed" in again.stdout) == (0, True), again.stderr
    assert [one["id"] for one in pagerduty.state()["subscriptions"]] == [subscription["id"]]
    assert kept_secrets(str(kept)) == (secret,)


def test_the_host_alone_is_refused_since_nobody_listens_there(host: Host, pagerduty: RunningPracticePagerDuty) -> None:
    refused = host.type("pagerduty", "connect", "https://mayday.example", **TOKENS)
    assert (refused.returncode, "https://HOST/pagerduty/webhook" in refused.stderr) == (1, True), refused.stderr
    assert pagerduty.state()["subscriptions"] == []


def test_the_doctor_says_that_pagerduty_gave_up_and_renewing_mends_it(
    host: Host, pagerduty: RunningPracticePagerDuty, listener: Listener
) -> None:
    host.type("pagerduty", "connect", listener.url, **TOKENS)
    eventually(lambda: listener.events)
    listener.answers = [401] * 3
    for _ in range(3):
        pagerduty.page("Rows vanished")
    eventually(lambda: pagerduty.state()["subscriptions"][0]["temporarily_disabled"])
    ill = doctor(host)
    assert (ill["ok"], "disabled by PagerDuty" in ill["seen"], "--renew" in ill["do"]) == (False, True, True)
    refused = host.type("pagerduty", "connect", listener.url, **TOKENS)
    assert refused.returncode == 1
    assert "--renew" in refused.stderr
    assert host.type("pagerduty", "connect", listener.url, "--renew", **TOKENS).returncode == 0
    assert doctor(host)["ok"]
    assert len(pagerduty.state()["subscriptions"]) == 1


def test_without_a_token_or_a_place_for_the_secret_it_says_what_to_set(host: Host, listener: Listener) -> None:
    bare = host.type("pagerduty", "connect", listener.url)
    settings = host.folder / "settings.toml"
    settings.write_text(re.sub(r"secrets_file.*\n", "", settings.read_text()))
    nowhere = host.type("pagerduty", "connect", listener.url, **TOKENS)
    for said, setting in ((bare, "pagerduty.token"), (nowhere, "pagerduty.secrets_file")):
        assert (said.returncode, setting in said.stderr, "Traceback" in said.stderr) == (1, True, False), said.stderr
