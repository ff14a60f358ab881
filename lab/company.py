"""The whole practice company: the stack, the town, the practice room, and Mayday itself beside them."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from typing import Any

import httpx

from actions.catalog import find
from actions.clock.when import parse_when
from actions.control.requests import Subject, requested
from actions.engine.errors import RecoveryError, Refused
from actions.engine.ids import new_id
from actions.engine.procedure import Procedure
from actions.engine.reading import Asker
from actions.engine.rights import Speaker
from actions.engine.status import rests, state_of
from actions.store.store import Store
from lab import operators, processes, removal, stack, stack_tables, town_process
from lab.engine import Say, connect, silent
from lab.home import QUEUE_PASSWORD, Lab
from lab.pagerduty import place as pagerduty
from lab.ports import kept_port
from lab.slack.client import PracticeSlack
from lab.statuspage import part as statuspage

_READY_SECONDS = 90.0
_STANDBY_WORKER = "worker-standby"
_PARTS = (_STANDBY_WORKER, "worker", "bot", pagerduty.PART, statuspage.PART, "slack")


def up(lab: Lab, *, town: bool = True, gigabytes: float = 0, say: Say = silent) -> dict[str, Any]:
    """Start everything and take the first base backup, which every recovery starts from."""
    stack.up(lab, town=False, gigabytes=gigabytes, say=say)
    write_settings(lab)
    say("Opening the practice room; starting the bot and the worker.")
    start_mayday(lab)
    if not lab.read_state().get("first_base"):
        say("Taking the first base backup.")
        take_first_base(lab)
    if town:
        town_process.start(lab)
    stack.settled(lab)
    return status(lab)


def start_mayday(lab: Lab) -> None:
    """The practice room, the stand-ins, the bot and the worker, those that are not alive."""
    start_room(lab)
    statuspage.start(lab)
    pagerduty.start(lab)
    start_part(lab, "bot")
    start_part(lab, "worker")
    if lab.standby:
        settings = str(settings_file(lab))
        processes.start(lab, _STANDBY_WORKER, ["mayday", "worker", "--site", lab.standby_site, "--config", settings])
    room = PracticeSlack(address(lab))
    if not room.wait_for_bot(_READY_SECONDS):
        raise RecoveryError(
            "The bot did not connect to the practice room.",
            detail=processes.log_tail(lab, "bot"),
            hint=f"Look at {lab.root}/logs/bot.log",
        )
    room.close()


def start_room(lab: Lab) -> None:
    """The practice room on its own port, with its messages kept over a restart."""
    port = kept_port(lab, "room_port")
    processes.start(lab, "slack", ["lab.slack", "--port", str(port), "--keep-in", str(lab.root / "room.json")])
    deadline = time.monotonic() + _READY_SECONDS
    while not _room_answers(lab):
        if time.monotonic() > deadline:
            raise RecoveryError(
                "The practice room does not open.",
                detail=processes.log_tail(lab, "slack"),
                hint=f"Look at {lab.root}/logs/slack.log",
            )
        time.sleep(0.1)


def start_part(lab: Lab, part: str) -> None:
    """The bot or a worker, with this lab's settings."""
    processes.start(lab, part, ["mayday", part, "--config", str(settings_file(lab))])


def down(lab: Lab, *, purge: bool = False, say: Say = silent) -> None:
    """End the processes, remove the containers; with `purge` the data too."""
    for part in _PARTS:
        if lab.state_file.exists():
            processes.stop(lab, part)
    removal.remove_run_containers(connect(), lab)
    stack.down(lab, purge=purge, say=say)
    if purge:
        _forget(lab)


def _forget(lab: Lab) -> None:
    """Mayday's own files of this lab: an unfinished run in them would hold the next company's services."""
    own = [path.name for path in lab.root.glob("mayday.db*")]
    for name in (*own, "mayday.toml", "room.json", statuspage.KEPT, *pagerduty.FILES):
        (lab.root / name).unlink(missing_ok=True)
    for folder in (lab.root / "logs", lab.root / operators.KEYS, lab.documents):
        shutil.rmtree(folder, ignore_errors=True)
    if lab.root.exists() and not any(lab.root.iterdir()):
        lab.root.rmdir()


def status(lab: Lab) -> dict[str, Any]:
    """What runs where: containers, the page, bot, worker."""
    return {
        **stack.status(lab),
        "page": address(lab) if lab.read_state().get("room_port") else None,
        "room": processes.is_alive(lab, "slack"),
        "pagerduty": processes.is_alive(lab, pagerduty.PART),
        "bot": processes.is_alive(lab, "bot"),
        "worker": processes.is_alive(lab, "worker"),
        **({"standby_worker": processes.is_alive(lab, _STANDBY_WORKER)} if lab.standby else {}),
        "status_page": statuspage.address(lab) if processes.is_alive(lab, statuspage.PART) else None,
        "settings": str(settings_file(lab)),
    }


def address(lab: Lab) -> str:
    """Where the practice room's page is."""
    port = lab.read_state().get("room_port")
    if not port:
        raise RecoveryError("The practice company is not up.", hint="Start it with: mayday lab up")
    return f"http://127.0.0.1:{port}"


def settings_file(lab: Lab) -> Any:
    """Mayday's settings for this lab."""
    return lab.root / "mayday.toml"


def store_url(lab: Lab) -> str:
    """Where Mayday keeps its journals in this lab."""
    return f"sqlite:///{lab.root}/mayday.db"


def write_settings(lab: Lab) -> None:
    """Write Mayday's settings for this lab: the same file that an installation has."""
    start_port = kept_port(lab, "room_port")
    writers = ", ".join(f'"{lab.container(name)}"' for name in ("functions", "hasura", "auth"))
    settings_file(lab).write_text(f'''# Written by `mayday lab up`: the practice company.
operations_zone = "UTC"
store = "{store_url(lab)}"
redis = "redis://:{QUEUE_PASSWORD}@127.0.0.1:{lab.port("queue")}/0"

[site]
name = "{lab.project}"
postgres = "{lab.container("postgres")}"
database = "nself_db"
writers = [{writers}]
smoke_url = "http://127.0.0.1:{lab.port("functions")}/smoke"
newest_table = "nchat_messages"
hold_seconds = {lab.hold_seconds:g}

{stack_tables.settings(lab)}
[slack]
channel = "C0OPSEMERG"
base_url = "http://127.0.0.1:{start_port}/api/"
bot_token = "xoxb-practice"
app_token = "xapp-practice"
signing_secret = "practice-signing-secret"

[people]
operator_groups = ["S0OPERATORS"]
approver_groups = ["S0APPROVERS"]
cache_seconds = 30
{pagerduty.settings(lab)}{statuspage.settings(lab)}{operators.settings(lab)}''')
    operators.enrol(lab)


def open_store(lab: Lab) -> Store:
    """The store of this lab's Mayday."""
    return Store(store_url(lab), clock)


def parse_moment(text: str) -> datetime:
    """A moment as people type it; a bare time is UTC.

    Raises:
        Refused: it is not understood.
    """
    target = parse_when(text, now=clock(), operations_zone="UTC")
    if target.at is None and target.kind != "latest":
        raise Refused(f"'{text}' is not a moment.", hint="Give a time, for example 14:30:05.")
    return target.at or clock()


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def take_first_base(lab: Lab) -> None:
    """Ask for a base backup by itself, as the daily schedule would, and wait until it is there."""
    procedure = find("postgres base backup")
    store = open_store(lab)
    # Two companies that are started at the same moment share one Docker, where things are named after runs.
    run = new_id(clock(), "first")
    store.open_run(run, request_of(procedure, lab), claims=procedure.claims, yields=procedure.yields, key=run)
    deadline = time.monotonic() + 600
    while not rests(store.run(run)):
        if time.monotonic() > deadline:
            raise RecoveryError(
                "The first base backup does not end.",
                detail=processes.log_tail(lab, "worker"),
                hint=f"Look at {lab.root}/logs/worker.log",
            )
        time.sleep(0.2)
    ended = store.run(run)
    if ended.failure is not None or state_of(ended) != "done":
        failure = ended.failure
        raise RecoveryError(
            f"The first base backup ended as {state_of(ended)}.",
            detail=f"{failure.said} {failure.detail}" if failure else "",
            hint=failure.hint if failure else f"mayday show {run}",
        )
    lab.write_state(first_base=run)


def request_of(procedure: Procedure, lab: Lab) -> dict[str, Any]:
    """What the journal of a run that nobody typed begins with."""
    service = lab.container("postgres")
    request = procedure.words.read("", Asker(clock(), "UTC", None, service))
    by = Speaker("lab", "the practice company", may_ask=True, may_approve=False)
    return requested(procedure, request, by, Subject(lab.project, service), {"sink": "none"})


def _room_answers(lab: Lab) -> bool:
    try:
        return httpx.get(f"{address(lab)}/practice/health", timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
