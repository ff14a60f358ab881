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
from bot.commands.known_phrases import PHRASES

RUN_ID = re.compile(r"r\d{4}-[a-z0-9]{4}")
INCIDENT_ID = re.compile(r"i\d{4}-[a-z0-9]{4}")
_DENIES = re.compile(r"\b(?:not?|never|without|except|unless|don'?t|do not|can'?t|cannot|won'?t|shouldn'?t|mustn'?t)\b")
_ASKS = re.compile(
    r"^(?:should|shall|what|why|when|how|does|did|would it|is|are|who|where|may|if|can (?:we|i|it)|could (?:we|i|it))\b"
)
_POLITE = re.compile(
    r"^(?:(?:please|pls|plz|kindly|hey|hi|hello|ok|okay|now|just|mayday|bot|(?:can|could|would|will) (?:you|u)|"
    r"(?:be )?so kind (?:as )?(?:to|and)|"
    r"(?:i|we) (?:want|need|have|must|would like) to|"
    r"(?:do|make|start|begin|perform|run|launch|initiate)(?: an?| the)?(?= (?:full )?(?:restore|"
    r"recovery?|rollback|rewind|point))|i'd like to|we'd like to|let'?s|go and|quickly|urgent(?:ly)?)"
    r"[,:!]*\s+)+"
)
_THANKS = re.compile(
    r"[,!.]?\s(?:please|pls|plz|thanks|thank you|thx|asap|immediately|quickly|"
    r"urgent(?:ly)?|it'?s urgent|it is urgent|as soon as possible|in advance|very much|"
    r"for me|for us)[!.]?$",
    re.ASCII,
)
_REASON = re.compile(r"(?:,?\s(?:because|due to|as requested|so that|since we)\b|[;(]).*$")
_REQUESTS = re.compile(r"^(?:hey |hi |hello |please |mayday,? )*(?:can|could|would|will) (?:you|u)\b")
"""A question in form, a request in fact."""
_KIND_FIRST = re.compile(
    r"^(?:the |our )?(?:databases?|db|pg|postgresql|postgres) "
    r"(?=(?:restore|recovery?|rollback|roll back|rewind|revert)\b)"
)
_LOST = re.compile(r"(?<![\w-])(?:gone|vanished|vanish|disappeared|deleted|lost|missing|wiped|truncated|dropped)\b")
_DOWN = re.compile(
    r"(?:postgres|everything|stack|service|hasura|auth|redis) (?:is |has |are )?"
    r"(?:down|crashed|dead|unreachable|offline|broken|not (?:responding|answering|working))"
)
_SPAN = re.compile(r"(?:by )?(?:the )?(?:last )?((?:\d{1,4}|an?) ?(?:s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?|days?))")
_SMALL = re.compile(r"\b(?:the|our|my|a|an|that|this|it|whole|server|instance|cluster|state|data|of)\b")
_POSTGRES = re.compile(r"\b(?:databases?|db|pg|psql|postgresql|postgres)\b")
_RESTORE = re.compile(
    r"\b(?:(?P<undoes>rollback|roll back|roll|revert|undo)|restore|recovery?|rewind|reset|bring back|bring|go back|"
    r"point[- ]in[- ]time(?: recovery)?)\b"
)
_BARE = re.compile(r"(?:the |our )?(?:database |db |postgres )?(?:back )?to ")
"""What follows where the word for it is the name of the command itself: /recover the database to 12:05."""
_TO = re.compile(r"^(?:back )?(?:to|at|as of|from|for|on)(?: time| the (?:state|moment|time)(?: of| at| from)?)? ")
_POSTGRES_TOO = ("postgres", "back", "everything", "all")
_LONGEST = 300
"""No command in words is longer; what is, was pasted."""
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
    plain = said.casefold()
    if len(plain) > _LONGEST:
        return ""
    small = _without_small(plain.rstrip("?!.") or plain)
    if family in ("recover", "backup") and (found := _phrase(small, plain.rstrip("?!."), family)):
        return found
    if _DENIES.search(plain) or _ASKS.search(plain):
        return ""
    if plain.endswith("?") and not _REQUESTS.match(plain):
        return ""
    plain = plain.rstrip("?!.") or plain
    asked = _KIND_FIRST.sub("", _unthanked(_POLITE.sub("", plain)))
    if family == "recover" and _BARE.match(asked):
        asked = f"restore {asked}"
    found = _restore(asked, stack) or _steered(_without_small(asked), family) or _led(asked, family)
    return found or (_told(small) if family == "recover" else "")


def _unthanked(said: str) -> str:
    """Without what is said for politeness at the end, of which there may be several."""
    shorter = _THANKS.sub("", said)
    return shorter if shorter == said else _unthanked(shorter)


def _told(small: str) -> str:
    """The look that helps somebody who only tells what is wrong."""
    if _LOST.search(small) and not _RESTORE.search(small):
        return "recover"
    return "recover stack" if _DOWN.fullmatch(small) else ""


def is_timed(words: Sequence[str]) -> bool:
    """Whether somebody speaks of a restore and of a time of day: no backup as it is can be meant."""
    said = " ".join(words).casefold()
    return bool(_RESTORE.search(said) and re.search(r"\b\d{1,2}[:.h]\d{2}\b", said))


def would_be(words: Sequence[str], stack: Stack) -> str:
    """What was probably meant by somebody who only asks whether to: should we restore to 12:05."""
    said = " ".join(words).casefold()
    asks = said.endswith("?") or bool(_ASKS.search(said))
    said = said.rstrip("?!.")
    verb = _RESTORE.search(said)
    if verb is None and said and is_moment(said, _ANY):
        return f"recover postgres pitr {said}"
    if verb is None or _DENIES.search(said) or not asks:
        return ""
    return _restore(said[verb.start() :], stack)


def _without_small(text: str) -> str:
    polite = _THANKS.sub("", _POLITE.sub("", text))
    return " ".join(_SMALL.sub(" ", _POSTGRES.sub("postgres", polite)).split())


def _phrase(small: str, plain: str, family: str) -> str:
    found = PHRASES.get(small) or PHRASES.get(plain) or ""
    if family == "backup":
        found = PHRASES.get(f"backup {small}") or found
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
        when = _ago(_TO.sub("", " ".join(words[taken:])))
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


def _ago(words: str) -> str:
    """Going back 20 minutes, or undoing the last 20 minutes, is going to 20 minutes ago."""
    span = _SPAN.fullmatch(words)
    return f"{span[1]} ago" if span else words


_ANY = datetime(2100, 1, 1, tzinfo=UTC)
"""Whether words name a moment does not depend on when that is asked."""


def _steered(small: str, family: str) -> str:
    return (
        _one_of(_STEERS, small, ("run", "recovery", "restore", "pitr", "everything", "now"), RUN_ID)
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
