"""How the command line shows the practice company to people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]
MAYDAY = ".venv/bin/mayday"
"""How the command is typed in the folder of this program, whether or not it is on the PATH."""
_MARKED = re.compile(r"\*([^*\n]+)\*|`([^`\n]+)`")

FIRST_RECOVERY = (
    f"In another terminal, in the folder of Mayday: {MAYDAY} lab break data-loss. "
    "A channel and its messages are gone; it prints the command of step 2.",
    "In the room, as Olga Nowak (oncall), send it: /recover postgres pitr and the moment before the loss.",
    "Its thread begins: open it by its replies. Read the plan, press: Pause writers and restore",
    "At the question for a second person choose Ada Prewitt (approver) under You are, press: Cut over. "
    "Type the name that it asks for.",
    "The thread ends with the report: Recovered.",
)
"""A first recovery, from the damage to the report."""


def status(console: Console, found: Json) -> None:
    """A table of what runs where."""
    table = Table("service", "container", "state", "health", "address", box=None, pad_edge=False)
    table.columns[1].overflow = "fold"
    for row in [*found["containers"], found["queue"]]:
        port = f"127.0.0.1:{row['port']}" if row.get("port") else ""
        kind = f"{row['service']} (stand-in)" if row.get("stand_in") else row["service"]
        table.add_row(kind, row["name"] or "", row["state"], row["health"], port)
    console.print(table)
    console.print(f"page      {found['page'] or 'closed'}")
    console.print(f"public    {found['status_page'] or 'closed'}")
    for part in ("town", "room", "pagerduty", "bot", "worker", "standby_worker"):
        if part in found:
            console.print(f"{part.replace('_', ' '):<9} {'alive' if found[part] else 'not running'}")


def thread(console: Console, found: Json) -> None:
    """Messages, one after the other."""
    for message in found.get("messages", ()):
        _message(console, message)


def news(console: Console, before: Json, now: Json) -> Json:
    """Only what is new or was edited since."""
    known = {message["ts"]: message for message in before.get("messages", ())}
    for message in now.get("messages", ()):
        if known.get(message["ts"]) != message:
            _message(console, message)
    return now


def _message(console: Console, message: Json) -> None:
    at = datetime.fromtimestamp(float(message.get("ts") or 0), UTC)
    console.print(f"[bold]{message.get('author', '')}[/] [dim]{at:%H:%M:%S} UTC[/]")
    lines = message.get("lines") or [message.get("text", "")]
    for line in (line for text in lines for line in str(text).splitlines()):
        console.print(Text("  ").append_text(_plain(line)), soft_wrap=True)
    for file in message.get("files", ()):
        console.print(f"  file {file['name']}, {file['size']:,} bytes", markup=False, soft_wrap=True)
    for button in message.get("buttons", ()):
        # All buttons stand in the lines; who may see one is worth a line where that is not everybody.
        if (who := button.get("who", "everyone")) != "everyone":
            console.print(f"  [{button['label']}] is shown to {', '.join(who)}", markup=False, style="cyan")


def line(console: Console, said: str) -> None:
    """One line of a message."""
    console.print(_plain(said), soft_wrap=True)


def _plain(line: str) -> Text:
    """A line without Slack's marks; what they make bold is bold where the terminal can."""
    text, at = Text(), 0
    for mark in _MARKED.finditer(line):
        text.append(line[at : mark.start()]).append(mark[1] or mark[2], "bold" if mark[1] else "")
        at = mark.end()
    return text.append(line[at:])


def waited(console: Console, found: Json) -> None:
    """What a run waits for."""
    console.print(f"run {found['run']}: {found['state']} after {found['seconds']} s", markup=False)
    if found["question"]:
        console.print(found["question"], markup=False)
    if found.get("error"):
        console.print(f"{found['error']}\n{found['detail']}\n{found['hint']}", markup=False)
    if found["labels"]:
        console.print("buttons: " + ", ".join(found["labels"]), markup=False)


def loss(console: Console, found: Json) -> None:
    """What was deleted, and when."""
    console.print(f"Deleted the channel {found['channel']} and its {found['messages']} messages.", markup=False)
    console.print(f"Just before: {found['moment']}")


def way_back(console: Console, found: Json) -> None:
    """What to say to get it back, in the room or here."""
    command = f"/recover postgres pitr {found['moment']}"
    console.print("Bring it back: in the practice room, as Olga Nowak (oncall), send")
    console.print(f"  {command}", soft_wrap=True, markup=False)
    console.print("or here:")
    console.print(f"  {MAYDAY} lab say '{command}' --as oncall", soft_wrap=True, markup=False)


def first_recovery(console: Console) -> None:
    """What a new person does in the practice room, step by step; the page of the room says the same."""
    for number, line in enumerate(FIRST_RECOVERY, 1):
        console.print(f"{number}. {line}", markup=False, soft_wrap=True)


def truth(console: Console, moment: datetime, found: Json) -> None:
    """The three figures."""
    console.print(
        f"At {moment.isoformat()}: {found['count']} acknowledged messages, the last one {found['last_id']}, "
        f"checksum {found['checksum']}"
    )


def lost(console: Console, found: Json) -> None:
    """How many acknowledged messages the primary of now does not hold."""
    span = f", committed from {found['first_lost_at']} to {found['last_lost_at']}" if found["lost"] else ""
    console.print(
        f"{found['primary']}, timeline {found['timeline']}: {found['lost']} of {found['acknowledged']} acknowledged "
        f"messages are missing{span}",
        markup=False,
        soft_wrap=True,
    )
