"""What a text means: a procedure with its arguments, a look at runs, a word to a run, or nothing known.

The text is data throughout: it is matched against the catalog's commands and handed on, never formatted
with, never evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from actions.engine.procedure import Procedure, Risk
from actions.settings.slack_values import FAMILIES
from actions.stack.manual import MANUAL
from actions.stack.stack import Stack
from bot.commands.named_service import known, right, strange, without_site
from bot.commands.natural_words import RUN_ID, is_timed, rewritten, would_be
from bot.commands.not_yet import NotBuilt, not_built
from bot.commands.plain_text import bare, tidy

_LOOKS = ("help", "status", "stack", "runs", "run", "version", "approve")
_STEERS = ("stop", "undo", "retry")
_LEADS = ("declare", "list", "severity", "role", "acknowledge", "escalate", "resolve", "timeline", "statuspage")
_CALLS = re.compile(r"^(?:<@[A-Z0-9]+(?:\|[^>]*)?>\s*|@mayday\b[,:]?\s*|!(?=\w)|/(?=\w))+", re.IGNORECASE)
_NEAR, _SURE = 0.6, 0.75
"""How much words have to resemble a command to suggest it: one that only looks, and one that changes something."""
_ACTING = ("stop", "undo", "retry", "approve")


@dataclass(frozen=True)
class ProcedureCommand:
    """A procedure, and the rest of the text that its own words read; the service and the site that were named."""

    procedure: Procedure
    arguments: str
    service: str = ""
    site: str = ""


@dataclass(frozen=True)
class LookCommand:
    """`help`, `status`, `stack`, `runs`, `version`, `approve` (where that is done), or `offers`: the command alone.

    `about` is the run or site meant, or what help is wanted for.
    """

    at: str
    about: str = ""


@dataclass(frozen=True)
class RunCommand:
    """`stop`, `undo` or `retry`; without a run the one of the thread is meant."""

    how: str
    run: str = ""


@dataclass(frozen=True)
class IncidentCommand:
    """Something about an incident: the verb, and the rest of what was said."""

    verb: str
    rest: str = ""


@dataclass(frozen=True)
class UnknownCommand:
    """Nothing known; `nearest` is the whole command that was probably meant."""

    said: str
    nearest: str = ""
    family: str = "recover"


@dataclass(frozen=True)
class NotYetCommand:
    """Something that Mayday cannot do yet, and what it can do today."""

    said: str
    built: NotBuilt


Meaning = NotYetCommand | ProcedureCommand | LookCommand | RunCommand | IncidentCommand | UnknownCommand


def meaning(text: str, catalog: Sequence[Procedure], family: str = "recover", stack: Stack = MANUAL) -> Meaning:
    """What somebody wants. `family` is the slash command that it was typed with, `stack` has the services' names.

    Raises:
        Refused: the text is too long to be a command.
    """
    return read(text, catalog, family, stack)[0]


def read(
    text: str, catalog: Sequence[Procedure], family: str = "recover", stack: Stack = MANUAL
) -> tuple[Meaning, str]:
    """What somebody wants, and as which command their words were read where they used other ones.

    Raises:
        Refused: the text is too long to be a command.
    """
    words = bare(_CALLS.sub("", tidy(text))).split()
    if words and words[0].casefold() in FAMILIES:
        family, words = words[0].casefold(), words[1:]
    found = _known(words, catalog, family, stack)
    if found is not None:
        return found, ""
    if command := rewritten(words, family, stack):
        other, *rest = command.split()
        found = _known(rest, catalog, other, stack)
        if found is not None:
            return found, f"/{command}"
    said = " ".join(words)
    asked = would_be(words, stack)
    built = None if asked else not_built(said, family, stack, timed=is_timed(words))
    if built is not None:
        return NotYetCommand(said, built), ""
    return UnknownCommand(said, f"/{asked}" if asked else _nearest(words, catalog, family), family), ""


def _known(words: list[str], catalog: Sequence[Procedure], family: str, stack: Stack) -> Meaning | None:
    """What the words of the documentation mean; None where these are others."""
    found = _procedure(words, catalog, family, stack)
    if found is not None:
        return found
    if not words and family == "recover":
        return LookCommand("offers")
    verb = bare(words[0]).casefold() if words else "help"
    rest = " ".join(words[1:])
    if verb in _LOOKS and family == "recover":
        return LookCommand("runs" if verb == "run" else verb, rest)
    if verb in _STEERS and family == "recover" and _is_run(rest):
        return RunCommand(verb, bare(rest).casefold())
    if verb in _LEADS and family == "incident":
        return IncidentCommand(verb, rest)
    return LookCommand("help", family) if verb == "help" else None


def _is_run(rest: str) -> bool:
    """Whether that can be the id of a run, or none; words such as "the database" are none."""
    said = bare(rest).casefold()
    return said in ("", "<run>") or bool(RUN_ID.fullmatch(said)) or bool(re.fullmatch(r"r\d[\w-]*", said))


def command_of(procedure: Procedure) -> str:
    """The command of a procedure as people type it, without the slash."""
    words = procedure.words.command.strip().lstrip("/").casefold().split()
    return " ".join(words if words[0] in FAMILIES else ["recover", *words])


def _procedure(words: list[str], catalog: Sequence[Procedure], family: str, stack: Stack) -> ProcedureCommand | None:
    """The longest command with which the words begin, whether or not they name a service of its kind."""
    words, site = without_site(words)
    said = [family, *(bare(word).casefold() for word in words)]
    by_length = sorted(catalog, key=lambda p: -len(command_of(p).split()))
    commands = [(procedure, command_of(procedure).split()) for procedure in by_length]
    found = [(p, one) for p, command in commands for one in known(command, p.about, said, stack)]
    # One name may fit several commands (`nself-cache restart`): its own kind's is meant.
    fitting = (pair for pair in found if right(pair[1], pair[0].about, stack, site))
    meant = next(fitting, None) or next(iter(found), None)
    if meant is None:
        slips = ((p, strange(command, p.about, said, stack)) for p, command in commands)
        meant = next(((p, one) for p, one in slips if one is not None), None)
    if meant is None:
        return None
    procedure, how = meant
    return ProcedureCommand(procedure, bare(" ".join(words[how.taken - 1 :])), how.service, site)


def _nearest(words: list[str], catalog: Sequence[Procedure], family: str) -> str:
    """The command that resembles the first words most, with the rest of what was said."""
    commands = [command_of(procedure) for procedure in catalog]
    commands += [f"recover {verb}" for verb in (*_LOOKS, *_STEERS)]
    commands += [f"incident {verb}" for verb in _LEADS]
    scored = [(*_likeness(words, command, family), command) for command in commands]
    acts = {command_of(p) for p in catalog if p.risk is not Risk.READS} | {f"recover {verb}" for verb in _ACTING}
    acts |= {f"incident {verb}" for verb in _LEADS if verb not in ("list", "timeline")}
    likely = [one for one in scored if one[0] >= (_SURE if one[2] in acts else _NEAR)]
    best = max(likely, default=(0.0, 0, ""))
    if not best[2]:
        return ""
    return " ".join([f"/{best[2]}", *words[best[1] :]])


def _likeness(words: list[str], command: str, family: str) -> tuple[float, int]:
    """How much the first words resemble a command, and how many of them do."""
    said = [bare(word).casefold() for word in words]
    best = (0.0, 0)
    for taken in range(1, min(len(said), 4) + 1):
        typed = " ".join(said[:taken])
        for form in _forms(command, family):
            best = max(best, (SequenceMatcher(None, typed, form).ratio(), taken))
    return best


def _forms(command: str, family: str) -> set[str]:
    """A command as people shorten it: without its family, or only its last word."""
    first, *rest = command.split()
    whole = {command} if first != family else {" ".join(rest)}
    return whole | ({rest[-1]} if rest and first == family else set())
