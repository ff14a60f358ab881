"""`mayday lab …`: the practice company from the command line."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from actions.engine.errors import RecoveryError, Refused
from actions.engine.run import Run
from actions.engine.status import labels_of, rests, state_of
from actions.store.notes import living_workers
from lab import break_commands, company, lost, operators, replication, show, truth
from lab.begun import begun
from lab.drawn import once_it_is_drawn, until_it_counts, until_it_is_drawn
from lab.home import Lab, Layout
from lab.pagerduty import cli as pagerduty_cli
from lab.saying import Answer, print_json, said
from lab.slack.client import PracticeSlack
from lab.statuspage import cli as statuspage

app = typer.Typer(
    help="A practice company on this machine: train on it, break it, recover it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
fault_app = typer.Typer(help="Switch a fault on or off.", no_args_is_help=True)
break_app = typer.Typer(help="Break something.", no_args_is_help=True)
app.add_typer(fault_app, name="fault")
app.add_typer(break_app, name="break")
statuspage.register(app, fault_app)
pagerduty_cli.register(app, fault_app)
operators.register(app)
break_commands.register(app, break_app)
console = Console(highlight=False)

Json = Annotated[bool, typer.Option("--json", help="One JSON document and nothing else.")]
As = Annotated[str, typer.Option("--as", help="The practice user: oncall, approver, dba, watcher, guest.")]
Thread = Annotated[str | None, typer.Option("--thread", help="A thread's id; the newest without it.")]
FAULTS = ("down", "slow", "limited", "errors", "twice", "off")


@app.callback()
def where(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(hidden=True)] = None,
    prefix: Annotated[str, typer.Option(hidden=True)] = "nself-",
    project: Annotated[str, typer.Option(hidden=True)] = "nself",
) -> None:
    """Which practice company is meant; there is one unless a test makes another."""
    given: Path | None = home or (context.obj or {}).get("lab_home")
    context.obj = Lab.saved(given or Path.home() / ".mayday" / "lab", prefix, project)


def _room(lab: Lab) -> PracticeSlack:
    return PracticeSlack(company.address(lab))


@app.command()
def up(
    context: typer.Context,
    detach: Annotated[bool, typer.Option(help="Leave it running.")] = False,
    layout: Annotated[str, typer.Option(help="bind, volume or subdir")] = "",
    gigabytes: Annotated[float, typer.Option(help="Add so much data.")] = 0,
    lean: Annotated[
        bool | None, typer.Option("--lean/--full", help="Only what a recovery of the database meets, or all services.")
    ] = None,
    standby: Annotated[
        bool | None, typer.Option("--standby/--no-standby", help="A second server that follows the first one.")
    ] = None,
    hold: Annotated[float | None, typer.Option(help="Seconds that the writers wait after a swap.")] = None,
    no_town: Annotated[bool, typer.Option("--no-town", help="Nobody writes messages.")] = False,
) -> None:
    """Start the practice company."""
    lab = _with_layout(context.obj, layout)
    lab = lab if lean is None else replace(lab, lean=lean)
    lab = lab if standby is None else replace(lab, standby=standby)
    lab = lab if hold is None else replace(lab, hold_seconds=hold)
    found = company.up(lab, town=not no_town, gigabytes=gigabytes, say=console.print)
    console.print(f"The practice room is open at {found['page']}")
    for line in operators.how_to(company.settings_file(lab)):
        console.print(line, soft_wrap=True, markup=False)
    console.print("A first recovery:")
    show.first_recovery(console)
    if detach:
        return
    console.print("Press Ctrl-C to end it.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        company.down(lab, say=console.print)


def _with_layout(lab: Lab, layout: str) -> Lab:
    if not layout:
        return lab
    chosen: dict[str, Layout] = {"bind": "bind", "volume": "volume", "subdir": "subdir"}
    if layout not in chosen:
        raise Refused(f"There is no layout '{layout}'.", hint="Choose bind, volume or subdir.")
    return replace(lab, layout=chosen[layout])


@app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """What runs where."""
    found = company.status(context.obj)
    print_json(found) if json else show.status(console, found)


@app.command(name="replication")
def show_replication(context: typer.Context, json: Json = False) -> None:
    """Every server: its role, how far behind it is, and which of them take writes."""
    found = replication.replication(context.obj)
    print_json(found) if json else replication.show(console, found)


@app.command()
def say(context: typer.Context, text: str, user: As, thread: Thread = None, json: Json = False) -> None:
    """Say something as a practice user: a slash command, or a message."""
    room = _room(context.obj)
    answer = begun(company.open_store(context.obj), said(room.say(text, user, thread), Answer.SAY))
    if json:
        return print_json({key: answer.get(key) for key in ("thread", "run", "answer")})
    console.print(answer.get("answer") or f"run {answer['run']} in thread {answer['thread']}", markup=False)
    return None


@app.command()
def click(
    context: typer.Context,
    label: str,
    user: As,
    thread: Thread = None,
    typed: Annotated[str | None, typer.Option("--type", help="Answers a typed confirmation.")] = None,
    json: Json = False,
) -> None:
    """Press the newest button of that label."""
    store = company.open_store(context.obj)
    asking = [run for run in store.runs(open_only=True) if label in labels_of(store.run(run))]
    pressed = once_it_is_drawn(lambda: _room(context.obj).click(label, user, thread, typed), asked=bool(asking))
    answer = said(pressed, Answer.CLICK)
    if asking and not answer["answer"]:
        until_it_counts(store, asking, label)
    print_json(answer) if json else console.print(answer.get("answer") or "pressed", markup=False)


@app.command(name="thread")
def show_thread(
    context: typer.Context,
    ident: Annotated[str, typer.Argument()] = "newest",
    json: Json = False,
    follow: Annotated[bool, typer.Option("--follow")] = False,
) -> None:
    """A thread: its messages, buttons, and who may press them."""
    room = _room(context.obj)
    found = said(room.thread(ident), Answer.RAW)
    print_json(found) if json else show.thread(console, found)
    while follow:
        time.sleep(1)
        found = show.news(console, found, said(room.thread(ident), Answer.RAW))


@app.command()
def wait(context: typer.Context, run: str, timeout: float = 600, json: Json = False) -> None:
    """Wait until a run asks something, or ends."""
    store = company.open_store(context.obj)
    deadline = time.monotonic() + timeout
    try:
        while not rests(state := store.run(run)) and time.monotonic() < deadline:
            time.sleep(0.2)
    except KeyError:
        raise Refused(f"There is no run {run}.", hint="mayday runs") from None
    lives = bool(living_workers(store)) or rests(state)
    until_it_is_drawn(lambda: _room(context.obj), state)
    print_json(waited(state, lives)) if json else show.waited(console, waited(state, lives))


def waited(run: Run, worker_lives: bool) -> dict[str, Any]:
    """What `wait` says of a run; without a worker alive a run that wants to go on is waiting."""
    seconds = ((run.finished_at or company.clock()) - run.requested_at).total_seconds()
    state = str(state_of(run)) if worker_lives else "waiting"
    question = run.question.title if run.asking and run.question else None
    failure = run.failure
    more = (
        {"error": failure.message, "code": failure.code, "detail": failure.detail, "hint": failure.hint}
        if failure
        else {}
    )
    return {
        "run": run.id,
        "state": state,
        "question": question,
        "labels": list(labels_of(run)),
        "seconds": round(seconds, 1),
        **more,
    }


@fault_app.command("slack")
def fault_slack(context: typer.Context, mode: str) -> None:
    """The practice room: down, slow, limited, errors, twice, off."""
    if mode not in FAULTS:
        raise Refused(f"There is no fault '{mode}'.", hint=f"Choose one of: {', '.join(FAULTS)}.")
    said(_room(context.obj).fault(mode), Answer.RAW)
    console.print(f"The practice room: {mode}")


@app.command(name="truth")
def show_truth(
    context: typer.Context,
    at: Annotated[str, typer.Option("--at", help="A moment; without it, what was lost until now.")] = "",
    json: Json = False,
) -> None:
    """The acknowledged messages at a moment; or those that the primary of now does not hold."""
    if not at:
        missing = lost.lost(context.obj)
        return print_json(missing) if json else show.lost(console, missing)
    moment = company.parse_moment(at)
    found = truth.truth_at(context.obj, moment)
    return print_json(found) if json else show.truth(console, moment, found)


@app.command()
def down(context: typer.Context, purge: Annotated[bool, typer.Option(help="Remove its data too.")] = False) -> None:
    """Remove what `up` made, and nothing else."""
    company.down(context.obj, purge=purge, say=console.print)


__all__ = ["RecoveryError", "app"]
