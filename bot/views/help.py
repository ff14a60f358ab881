"""Help that a tired person can use: in groups and plain sentences, for the place where it is asked; by the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from actions.engine.procedure import Procedure, Risk
from actions.settings.slack_values import FAMILIES
from bot.commands.parse_command import NotYetCommand, UnknownCommand, command_of
from bot.views.home_view import BEGIN, RECOVER
from bot.views.mrkdwn import Block, actions, button, cut, escape

_LOOK = (
    ("/recover status", "says what is under way, and whether a worker lives"),
    ("/recover stack [site]", "shows the services, what needs what, and how each is"),
    ("/recover runs [run]", "lists the last runs, or tells all that one did"),
)
_STEER = (
    ("/recover stop <run>", "stops a run at its next safe place"),
    ("/recover retry <run>", "goes on after a failure"),
    ("/recover undo <run>", "takes back what a run did"),
)
_INCIDENTS = (
    ("/incident declare <title> [critical/high/medium/low]", "opens an incident, and pages by the contact rules"),
    ("/incident list", "lists the open incidents"),
    ("/incident acknowledge", "tells PagerDuty that you have it; escalate and resolve work the same way"),
    ("/incident severity <critical/high/medium/low>", "says how bad it is"),
    ("/incident role <commander/scribe/communications/operations> [@user]", "gives a role, or takes it"),
    ("/incident timeline", "tells what happened so far; a :pushpin: on a message puts it there"),
)
_EXAMPLES = 2
AGREES = {
    Risk.READS: "changes nothing",
    Risk.CHANGES: "starts when you ask for it",
    Risk.DESTRUCTIVE: "a second person approves",
}
"""Who has to agree, by what a procedure can do to data."""


@dataclass(frozen=True)
class HelpPlace:
    """Where help is asked for: in the thread of a run or an incident, in the direct conversation, or anywhere else."""

    run: str = ""
    incident: str = ""
    direct: bool = False


def text(catalog: Sequence[Procedure], about: str = "", place: HelpPlace | None = None) -> str:
    """All commands in groups, those of the place first; or only those that help is wanted for."""
    where = place or HelpPlace()
    family = about.casefold() if about.casefold() in FAMILIES else ""
    if family == "incident":
        return cut("\n".join([_group("Leading an incident", _INCIDENTS, where), _ends(where)]))
    wanted = [p for p in catalog if about.casefold() in command_of(p)] if about else []
    if family and not wanted:
        return _nothing_yet(catalog, family)
    if about and wanted:
        return cut("\n".join([*(_one(p, where) for p in wanted), _ends(where)]))
    groups = [g for g in (*_here(where), *_recovering(catalog, where), *_always(where)) if g]
    return cut("\n".join([*groups, _ends(where)]))


def buttons(catalog: Sequence[Procedure], place: HelpPlace) -> list[Block]:
    """The three most used things as buttons, for the place."""
    known = {command_of(p) for p in catalog}
    if place.run:
        return actions(
            [
                button("What it did", f"{BEGIN}:help-1", f"recover runs {place.run}"),
                button("Stop…", f"{BEGIN}:help-2", f"recover stop {place.run}", confirm="It stops at a safe place."),
                button("Status", f"{BEGIN}:help-3", "recover status"),
            ]
        )
    if place.incident:
        row = [
            button("Recover…", RECOVER, "recover", "danger"),
            button("Timeline", f"{BEGIN}:help-1", f"incident timeline {place.incident}"),
        ]
        return actions([*row, button("Status", f"{BEGIN}:help-2", "recover status")])
    row = [button("Recover…", RECOVER, "recover", "danger"), button("Status", f"{BEGIN}:help-1", "recover status")]
    window = [button("What can be reached", f"{BEGIN}:help-2", "recover window")] if "recover window" in known else []
    stack = [button("Services", f"{BEGIN}:help-3", "recover stack")]
    return actions([*row, *(window or stack)])


def unknown(catalog: Sequence[Procedure], said: UnknownCommand, nearest: str, who_may: str = "") -> str:
    """The answer to something not known, with what was probably meant. `who_may` can do what this person may not."""
    if said.family != "incident" and not any(command_of(p).split()[0] == said.family for p in catalog):
        return _nothing_yet(catalog, said.family)
    what = f"/{said.family} {said.said}".strip()
    lines = [f"I do not know {escape(cut(what, 200))}. Nothing was done."]
    if nearest:
        lines.append(f"Did you mean {escape(cut(nearest, 200))}?")
    elif said.nearest and who_may:
        lines.append(f"For recoveries ask one of these: {escape(who_may)}.")
    return "\n".join([*lines, f"`/{said.family} help` lists what there is."])


def not_yet(catalog: Sequence[Procedure], said: NotYetCommand) -> str:
    """The answer to what Mayday cannot do yet: what it can do today."""
    lines = [f"Not yet: {escape(said.built.what)}. Nothing was done. Today you can:"]
    lines += [f"• `{escape(command)}`  {escape(does)}" for command, does in today(catalog, said)]
    return "\n".join(lines)


def today(catalog: Sequence[Procedure], said: NotYetCommand) -> list[tuple[str, str]]:
    """The commands that help instead, of those that this version has, each with what it does."""
    commands = {command_of(p) for p in catalog}
    return [(c, does) for c, does in said.built.today if not _is_procedure(c) or _begins(c, commands)]


def _is_procedure(command: str) -> bool:
    return not command.startswith(("/incident", "/recover stack", "/recover status"))


def _begins(command: str, known: Iterable[str]) -> bool:
    return any(command.lstrip("/").startswith(one) for one in known)


def _here(place: HelpPlace) -> list[str]:
    """What concerns the thread in which help is asked for; without an id that thread's is meant."""
    if place.run:
        own = [(command.replace(" <run>", ""), does) for command, does in _STEER]
        own.append((f"/recover runs {place.run}", "tells all that it did"))
        return [_group(f"This run, {place.run}", own, place), "Questions are answered by their buttons in this thread."]
    if place.incident:
        return [_group(f"This incident, {place.incident}", _INCIDENTS[2:], place)]
    return []


def _recovering(catalog: Sequence[Procedure], place: HelpPlace) -> list[str]:
    recoveries = [p for p in catalog if p.risk is not Risk.READS and command_of(p).startswith("recover")]
    looks = [p for p in catalog if p.risk is Risk.READS]
    rest = [p for p in catalog if p not in recoveries and p not in looks]
    titled = (("Bringing data back", recoveries), ("Looking, without changing anything", looks), ("Backups", rest))
    return ["\n".join([f"*{title}*", *(_one(p, place) for p in group)]) for title, group in titled if group]


def _always(place: HelpPlace) -> list[str]:
    incident = [] if place.incident else [_group("Leading an incident", _INCIDENTS[:3], place)]
    steer = [] if place.run else [_group("Steering a run", _STEER, place)]
    return [_group("What is going on", _LOOK, place), *steer, *incident]


def _ends(place: HelpPlace) -> str:
    several = "Of several services of one kind name the one: `/recover postgres NAME pitr 14:30 @ SITE`."
    if place.direct:
        return f"{several}\nHere you write the words without the slash: only you and Mayday read them."
    if place.run or place.incident:
        return "In a thread no slash command can be typed: write @Mayday and the words."
    return f"{several}\nIn a thread, write @Mayday and the same words without the slash."


def _typed(place: HelpPlace) -> Callable[[str], str]:
    """How a command is typed in that place."""
    if place.run or place.incident:
        return lambda command: f"@Mayday {command.removeprefix('/recover ').removeprefix('/')}"
    return lambda command: command.removeprefix("/recover ").removeprefix("/") if place.direct else command


def _group(title: str, commands: Iterable[tuple[str, str]], place: HelpPlace) -> str:
    typed = _typed(place)
    return "\n".join([f"*{escape(title)}*", *(f"`{escape(typed(command))}`  {does}" for command, does in commands)])


def _nothing_yet(catalog: Sequence[Procedure], family: str) -> str:
    listed = "\n".join(_one(p, HelpPlace()) for p in catalog)
    return cut(f"/{family} can do nothing yet. What there is today:\n{listed}\n`/recover help` tells more.")


def _one(procedure: Procedure, place: HelpPlace) -> str:
    typed = _typed(place)
    usage = typed(f"/{command_of(procedure)} {procedure.words.usage}".strip())
    shown = [typed(_whole(procedure, example)) for example in procedure.words.examples if example]
    given = [f"`{escape(example)}`" for example in shown if example != usage][:_EXAMPLES]
    such = f" For example {', '.join(given)}." if given else ""
    return f"`{escape(usage)}`  {escape(procedure.name)}; {AGREES[procedure.risk]}.{such}"


def _whole(procedure: Procedure, example: str) -> str:
    """An example as it is typed; the catalog may give the arguments alone."""
    return example if example.startswith("/") else f"/{command_of(procedure)} {example}"
