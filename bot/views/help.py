"""Help that a tired person can use, made from the catalog."""

from __future__ import annotations

from collections.abc import Sequence

from actions.engine.procedure import Procedure, Risk
from bot.parse_command import FAMILIES, UnknownCommand, command_of
from bot.views.mrkdwn import cut, escape

_ALWAYS = (
    ("/recover status", "what is under way"),
    ("/recover stack [site]", "the services, what needs what, how they are"),
    ("/recover runs [run]", "the last runs, or all that one did"),
    ("/recover stop <run>", "stop at the next safe place"),
    ("/recover retry <run>", "go on after a failure"),
    ("/recover undo <run>", "take back what a run did"),
)
_INCIDENTS = (
    ("/incident declare <title> [critical/high/medium/low]", "open an incident, and page by the contact rules"),
    ("/incident list", "the open incidents"),
    ("/incident severity <critical/high/medium/low>", "say how bad it is"),
    ("/incident role <commander/scribe/communications/operations> [@user]", "give a role, or take it"),
    ("/incident acknowledge", "and escalate, resolve: the same as the buttons"),
    ("/incident timeline", "what happened so far; a :pushpin: on a message puts it there"),
)
_EXAMPLES = 3
AGREES = {
    Risk.READS: "changes nothing",
    Risk.CHANGES: "starts when you ask for it",
    Risk.DESTRUCTIVE: "a second person approves",
}
"""Who has to agree, by what a procedure can do to data."""


def text(catalog: Sequence[Procedure], about: str = "") -> str:
    """All commands, or those that begin with what help is wanted for."""
    family = about.casefold() if about.casefold() in FAMILIES else ""
    if family == "incident":
        return _incidents()
    wanted = [p for p in catalog if not about or about.casefold() in command_of(p)]
    lines = [_one(p) for p in (wanted or catalog)]
    if family and not wanted:
        return _nothing_yet(catalog, family)
    lines += [f"`{escape(command)}`  {said}" for command, said in _ALWAYS]
    lines.append("Of several services of one kind name the one: `/recover postgres NAME pitr 14:30 @ SITE`.")
    lines.append("In a thread, write @Mayday and the same words without the slash.")
    return cut("\n".join(lines))


def unknown(catalog: Sequence[Procedure], said: UnknownCommand) -> str:
    """The answer to something not known, with what was probably meant."""
    if said.family != "incident" and not any(command_of(p).split()[0] == said.family for p in catalog):
        return _nothing_yet(catalog, said.family)
    what = f"/{said.family} {said.said}".strip()
    lines = [f"I do not know {escape(cut(what, 200))}. Nothing was done."]
    if said.nearest:
        lines.append(f"Did you mean {escape(cut(said.nearest, 200))}?")
    return "\n".join([*lines, f"`/{said.family} help` lists what there is."])


def _incidents() -> str:
    lines = [f"`{escape(command)}`  {said}" for command, said in _INCIDENTS]
    lines.append("In an incident's thread, write @Mayday incident and the same words. Elsewhere name the incident.")
    return cut("\n".join(lines))


def _nothing_yet(catalog: Sequence[Procedure], family: str) -> str:
    listed = "\n".join(_one(p) for p in catalog)
    return cut(f"/{family} can do nothing yet. What there is today:\n{listed}\n`/recover help` tells more.")


def _one(procedure: Procedure) -> str:
    usage = f"/{command_of(procedure)} {procedure.words.usage}".strip()
    given = [f"`{escape(_whole(procedure, example))}`" for example in procedure.words.examples if example][:_EXAMPLES]
    such = f" For example {', '.join(given)}." if given else ""
    return f"`{escape(usage)}`  {escape(procedure.name)}; {AGREES[procedure.risk]}.{such}"


def _whole(procedure: Procedure, example: str) -> str:
    """An example as it is typed; the catalog may give the arguments alone."""
    return example if example.startswith("/") else f"/{command_of(procedure)} {example}"
