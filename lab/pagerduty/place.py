"""The practice PagerDuty in a practice company: its port, its files, its process, and Mayday's settings for it."""

from __future__ import annotations

import time
from pathlib import Path

from actions.engine.errors import RecoveryError
from lab import processes
from lab.home import SERVICES, Lab
from lab.pagerduty.client import PracticePagerDuty
from lab.pagerduty.company import (
    CTO_DIRECT,
    DATABASES,
    MAYDAY_KEY,
    OPERATIONS,
    PEOPLE,
    SENDER,
    TOKEN,
    WEBHOOK_SECRET,
    Person,
    service_id,
)
from lab.ports import kept_port

PART = "pagerduty"
FILES = ("pagerduty.json", "pagerduty-ca.pem", "pagerduty-server.pem", "pagerduty-secrets")
_READY_SECONDS = 30.0
_ROLES = dict(zip(("on-call", "backup", "dba", "infrastructure", "cto"), PEOPLE, strict=False))


def start(lab: Lab) -> None:
    """Start it unless it is alive, and wait until it answers."""
    arguments = [
        "lab.pagerduty",
        "--port",
        str(kept_port(lab, "pagerduty_port")),
        "--keep-in",
        str(_kept(lab)),
        "--webhook",
        webhook_url(lab),
        "--prefix",
        lab.prefix,
    ]
    processes.start(lab, PART, arguments)
    deadline = time.monotonic() + _READY_SECONDS
    while not _answers(lab):
        if time.monotonic() > deadline:
            raise RecoveryError(
                "The practice PagerDuty does not open.",
                detail=processes.log_tail(lab, PART),
                hint=f"Look at {lab.root}/logs/{PART}.log",
            )
        time.sleep(0.1)


def _answers(lab: Lab) -> bool:
    if not _ca_file(lab).exists():
        return False
    try:
        found = client(lab)
        found.health()
        found.close()
    except RecoveryError:
        return False
    return True


def client(lab: Lab) -> PracticePagerDuty:
    """The control API of this lab's practice PagerDuty."""
    port = lab.read_state().get("pagerduty_port")
    if not port or not _ca_file(lab).exists():
        raise RecoveryError("The practice PagerDuty is not up.", hint="Start it with: mayday lab up")
    return PracticePagerDuty(f"https://127.0.0.1:{port}", _ca_file(lab))


def address(lab: Lab) -> str:
    """Where it listens."""
    return f"https://127.0.0.1:{kept_port(lab, 'pagerduty_port')}"


def webhook_url(lab: Lab) -> str:
    """Where the bot of this lab hears its webhooks."""
    return f"http://127.0.0.1:{kept_port(lab, 'web_port')}/pagerduty/webhook"


def settings(lab: Lab) -> str:
    """The sections of Mayday's settings: the bot's web server, PagerDuty, the contacts."""
    services = "\n".join(f'{service_id(name)} = "{lab.container(name)}"' for name in SERVICES)
    people = "\n".join(_contact(role, person) for role, person in _ROLES.items())
    return f'''
[web]
enabled = true
host = "127.0.0.1"
port = {kept_port(lab, "web_port")}

[pagerduty]
token = "{TOKEN}"
sender = "{SENDER}"
routing_key = "{MAYDAY_KEY}"
webhook_secrets = ["{WEBHOOK_SECRET}"]
secrets_file = "{lab.root / "pagerduty-secrets"}"
api_url = "{address(lab)}"
events_url = "{address(lab)}"
ca_file = "{_ca_file(lab)}"
policies = ["{OPERATIONS.id}", "{DATABASES.id}"]

[pagerduty.services]
{services}

{people}'''


def _contact(role: str, person: Person) -> str:
    paged = CTO_DIRECT.id if role == "cto" else person.id
    return f'''[[contacts.people]]
role = "{role}"
name = "{person.name}"
phone = "{person.phone}"
email = "{person.email}"
slack = "{person.slack}"
pagerduty = "{paged}"
'''


def _kept(lab: Lab) -> Path:
    return lab.root / "pagerduty.json"


def _ca_file(lab: Lab) -> Path:
    return lab.root / "pagerduty-ca.pem"
