"""Commands in an engineer's own words, rewritten as the ones that are known: "please restore the database to 12:05".

Only words that are known here are read, and only those of a closed list are passed over. Any other word, be it the name
of a table, and anything that denies or asks, makes no command: what is not understood may be what matters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from actions.clock.when import is_moment
from actions.stack.stack import ServiceKind, Stack, service_of

RUN_ID = re.compile(r"r\d{4}-[a-z0-9]{4}")
INCIDENT_ID = re.compile(r"i\d{4}-[a-z0-9]{4}")
_DENIES = re.compile(r"\b(?:not?|never|without|except|unless|don'?t|do not|can'?t|cannot|won'?t|shouldn'?t|mustn'?t)\b")
_ASKS = re.compile(
    r"^(?:should|shall|what|why|when|how|does|did|would it|is|are|who|where|may|if|can (?:we|i|it)|could (?:we|i|it))\b"
)
_POLITE = re.compile(
    r"^(?:(?:please|pls|plz|kindly|hey|hi|hello|ok|okay|now|just|mayday|bot|(?:can|could|would|will) you|"
    r"(?:i|we) (?:want|need|have|would like) to|i'd like to|we'd like to|let'?s|go and|quickly|urgent(?:ly)?)"
    r"[,:!]*\s+)+"
)
_THANKS = re.compile(
    r"[,!.]?\s(?:please|pls|plz|thanks|thank you|thx|asap|immediately|quickly|for me|for us)[!.]?$", re.ASCII
)
_REASON = re.compile(r"(?:,?\s(?:because|due to|as requested|so that|since we)\b|[;(]).*$")
_SMALL = re.compile(r"\b(?:the|our|my|a|an|that|this|it|whole|server|instance|cluster|state|data|of)\b")
_POSTGRES = re.compile(r"\b(?:databases?|db|pg|psql|postgresql|postgres)\b")
_RESTORE = re.compile(
    r"\b(?:(?P<undoes>rollback|roll back|roll|revert|undo)|restore|recover|rewind|reset|bring back|bring|go back|"
    r"point[- ]in[- ]time(?: recovery)?)\b"
)
_BARE = re.compile(r"(?:the |our )?(?:database |db |postgres )?(?:back )?to ")
"""What follows where the word for it is the name of the command itself: /recover the database to 12:05."""
_TO = re.compile(r"^(?:back )?(?:to|at|as of) ")
_POSTGRES_TOO = ("postgres", "back", "everything", "all")
_SAME = {
    "recover status": (
        *("what's going on", "what is going on", "whats going on", "what is happening", "what's happening", "whats up"),
        *("what is running", "what's running", "state", "progress", "how is it going", "how far", "eta", "show status"),
    ),
    "recover version": ("version", "which version", "what version", "-v", "--version"),
    "recover runs": (
        "list",
        "ls",
        "history",
        "list runs",
        "show runs",
        "all runs",
        "recoveries",
        "logs",
        "log",
        "show",
    ),
    "recover stack": ("services", "health", "list services", "show services", "show stack", "list stack", "containers"),
    "recover window": (
        *("how far back can we go", "how far back", "what can be recovered", "recovery window", "show window"),
        *("what can we recover", "windows", "which moments can be recovered", "recovery point", "rpo"),
    ),
    "recover help": (
        "?",
        "commands",
        "hi",
        "hello",
        "hey",
        "menu",
        "usage",
        "man",
        "what can you do",
        "help me",
        "-h",
        "--help",
    ),
    "recover postgres verify": (
        *("check postgres", "verify", "check", "integrity", "integrity check", "check integrity", "is postgres ok"),
        *("verify integrity", "check postgres integrity", "test postgres", "is postgres healthy", "verify postgres"),
    ),
    "incident list": ("incidents", "list incidents", "open incidents", "show incidents", "which incidents are open"),
    "incident acknowledge": ("got it", "on it", "i'm on it", "i am on it", "taking", "i have", "i've got", "mine"),
    "backup run base": (
        *(
            "take backup",
            "make backup",
            "backup now",
            "backup postgres",
            "backup postgres now",
            "run backup",
            "back up",
        ),
        *("base backup", "take base backup", "backup base", "backup run", "run base", "base", "back up postgres"),
        *("take backup postgres", "make base backup", "start backup", "run base backup", "create backup", "now"),
    ),
}
"""Whole texts, without small words, by the command that they mean. Each looks, or is free to be done."""
_LONGEST = 300
"""No command in words is longer; what is, was pasted."""
_PHRASES = {phrase: command for command, phrases in _SAME.items() for phrase in phrases}
_Verbs = tuple[tuple[re.Pattern[str], str], ...]
_STEERS: _Verbs = (
    (re.compile(r"(?:cancel|abort|halt|kill|stop)(?P<rest>(?: .*)?)"), "recover stop"),
    (re.compile(r"(?:continue|resume|proceed|go on|try again|rerun|retry|again)(?P<rest>(?: .*)?)"), "recover retry"),
    (re.compile(r"(?:undo|rollback|roll back|revert|take back|back out)(?P<rest>(?: .*)?)"), "recover undo"),
    (re.compile(r"(?:approve|approved|lgtm|yes|confirm|go ahead|cut over|ship)(?P<rest>(?: .*)?)"), "recover approve"),
    (re.compile(r"(?:show|log|logs|details)(?P<rest>(?: .*)?)"), "recover runs"),
)
_LEADS = (
    (re.compile(r"(?:ack|acked|ackd|acknowledge|acknowledged|take)(?P<rest>(?: .*)?)"), "incident acknowledge"),
    (re.compile(r"(?:close|closed|resolve|resolved)(?P<rest>(?: .*)?)"), "incident resolve"),
    (re.compile(r"(?:escalate|escalated|page next|page somebody)(?P<rest>(?: .*)?)"), "incident escalate"),
    (re.compile(r"(?:timeline|show timeline)(?P<rest>(?: .*)?)"), "incident timeline"),
)
_OPENS = re.compile(
    r"(?:declare|open|raise|start|create|new|report)(?: (?:a|an|new|the))* incident:?(?P<rest> .+)|declare(?P<more> .+)"
)
_GRADES = re.compile(
    r"(?:(?:set )?severity(?: to)? |make it |it is )?(?P<word>sev-?[1-4]|p[1-4]|critical|high|medium|low)"
)


def rewritten(words: Sequence[str], family: str, stack: Stack) -> str:
    """The known command that the words mean, without a slash; empty where they mean none."""
    said = " ".join(words)
    said = said.rstrip("?!.") or said
    plain = said.casefold()
    if len(plain) > _LONGEST:
        return ""
    small = _without_small(plain)
    if family in ("recover", "backup") and (found := _phrase(small, plain, family)):
        return found
    if _DENIES.search(plain) or _ASKS.search(plain):
        return ""
    asked = _THANKS.sub("", _POLITE.sub("", plain))
    if family == "recover" and _BARE.match(asked):
        asked = f"restore {asked}"
    return _restore(asked, stack) or _steered(_without_small(asked), family) or _led(asked, family)


def would_be(words: Sequence[str], stack: Stack) -> str:
    """What was probably meant by somebody who only asks whether to: should we restore to 12:05."""
    said = " ".join(words).rstrip("?!.").casefold()
    verb = _RESTORE.search(said)
    if verb is None or _DENIES.search(said) or not _ASKS.search(said):
        return ""
    return _restore(said[verb.start() :], stack)


def _without_small(text: str) -> str:
    polite = _THANKS.sub("", _POLITE.sub("", text))
    return " ".join(_SMALL.sub(" ", _POSTGRES.sub("postgres", polite)).split())


def _phrase(small: str, plain: str, family: str) -> str:
    found = _PHRASES.get(small) or _PHRASES.get(plain) or ""
    if family == "backup":
        found = _PHRASES.get(f"backup {small}") or found
    elif found == "backup run base" and "back" not in small:
        return ""
    return found if family == "recover" or found.startswith("backup") else ""


def _restore(said: str, stack: Stack) -> str:
    """A recovery to a moment, where nothing is named but PostgreSQL and the moment."""
    verb = _RESTORE.match(said)
    if verb is None:
        return ""
    words = _POSTGRES.sub("postgres", _REASON.sub("", said[verb.end() :])).split()
    name = ""
    for taken in range(len(words) + 1):
        when = _TO.sub("", " ".join(words[taken:]))
        if RUN_ID.fullmatch(when.removeprefix("run ")):
            return f"recover undo {when.removeprefix('run ')}" if verb["undoes"] and not name else ""
        if when and is_moment(when, _ANY):
            return " ".join(("recover postgres", name, "pitr", when)).replace("  ", " ")
        service = service_of(stack, words[taken]) if when else None
        if service is not None and service.kind is ServiceKind.POSTGRES:
            name = words[taken] if words[taken] != "postgres" else ""
        elif when and words[taken] not in _POSTGRES_TOO and not _SMALL.fullmatch(words[taken]):
            return ""
    return ""


_ANY = datetime(2100, 1, 1, tzinfo=UTC)
"""Whether words name a moment does not depend on when that is asked."""


def _steered(small: str, family: str) -> str:
    return (
        _one_of(_STEERS, small, ("run", "recovery", "restore", "pitr", "everything"), RUN_ID)
        if family == "recover"
        else ""
    )


def _led(said: str, family: str) -> str:
    if family not in ("recover", "incident"):
        return ""
    if opened := _OPENS.fullmatch(said):
        return f"incident declare {(opened['rest'] or opened['more']).strip()}"
    if graded := _GRADES.fullmatch(said):
        return f"incident severity {graded['word']}"
    return _one_of(_LEADS, _without_small(said), ("incident", "alert", "page"), INCIDENT_ID)


def _one_of(
    table: tuple[tuple[re.Pattern[str], str], ...], small: str, about: tuple[str, ...], id: re.Pattern[str]
) -> str:
    """The command of a verb with at most one id after it; what else is said makes it none."""
    for verb, command in table:
        found = verb.fullmatch(small)
        if found is None:
            continue
        rest = [word for word in found["rest"].split() if word not in about]
        if len(rest) <= 1 and all(id.fullmatch(word) for word in rest):
            return " ".join([command, *rest])
    return ""
