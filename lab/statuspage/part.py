"""The stand-in as a part of the practice company: its port, its process, its lines in the settings."""

from __future__ import annotations

import time

from actions.engine.errors import RecoveryError
from lab import processes
from lab.home import Lab
from lab.ports import kept_port
from lab.statuspage.client import PracticePage
from lab.statuspage.world import PAGE, SERVICES, TOKEN

PART = "statuspage"
KEPT = "statuspage.json"
_PORT = "statuspage_port"
_READY_SECONDS = 30.0


def start(lab: Lab) -> None:
    """Start it unless it is alive, with the page kept over a restart; ready when this returns."""
    arguments = ["lab.statuspage", "--port", str(kept_port(lab, _PORT)), "--keep-in", str(lab.root / KEPT)]
    processes.start(lab, PART, arguments)
    page = PracticePage(address(lab))
    deadline = time.monotonic() + _READY_SECONDS
    while not page.answers():
        if time.monotonic() > deadline:
            raise RecoveryError(
                "The practice status page does not open.",
                detail=processes.log_tail(lab, PART),
                hint=f"Look at {lab.root}/logs/{PART}.log",
            )
        time.sleep(0.1)


def address(lab: Lab) -> str:
    """Where the public page is."""
    port = lab.read_state().get(_PORT)
    if not port:
        raise RecoveryError("The practice status page is not up.", hint="Start it with: mayday lab up")
    return f"http://127.0.0.1:{port}"


def settings(lab: Lab) -> str:
    """Mayday's settings for it: which container stands behind which component."""
    url = f"http://127.0.0.1:{kept_port(lab, _PORT)}"
    components = "\n".join(f'"{lab.container(service)}" = "{id}"' for service, (id, _, _) in SERVICES.items())
    return f'''
[statuspage]
kind = "statuspage"
page = "{PAGE}"
token = "{TOKEN}"
api_url = "{url}/v1"
public_url = "{url}"

[statuspage.components]
{components}
'''
