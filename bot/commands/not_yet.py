"""What people ask for that Mayday cannot do yet, and what it can do today instead.

This is asked only of words that no procedure of the catalog knows, so an entry goes silent once its procedure is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.stack.stack import ServiceKind, Stack, service_of


@dataclass(frozen=True)
class NotBuilt:
    """Something to come: its name, and the commands that help today, each with what it does."""

    what: str
    today: tuple[tuple[str, str], ...]


_TO_MOMENT = ("/recover postgres pitr <when>", "bring the database back to a moment, beside the live data")
_LOOK = ("/recover stack", "see how every service is")
_VERIFY = ("/recover postgres verify", "check the database for damage")
_STANDBYS = ("/recover postgres replication", "see who follows the database and how far behind")
_FAIL_OVER = ("/recover postgres failover", "have the standby take over from its primary")
_SWITCH_OVER = ("/recover postgres switchover", "switch to the standby by plan, with nothing lost")
_WINDOW = ("/recover window", "see which moments can be reached")
_BASE = ("/backup run base", "take a base backup now")
_INCIDENT = ("/incident declare <title>", "open an incident, so that others help")
_ROWS = "bringing back single tables or rows"
_TOPICS = (
    (r"region|geo|multi-?region|failback", "failing over to another region", (_LOOK, _INCIDENT)),
    (
        r"switch-?over|rejoin|standby|replica|replication|primary|fail-?over|promote",
        "the return of an old primary as a standby",
        (_FAIL_OVER, _SWITCH_OVER, _STANDBYS),
    ),
    (r"corrupt(?:ion|ed)?|damaged?|broken", "the recovery from corruption", (_VERIFY, _TO_MOMENT)),
    (r"host-?lost|bare-?metal|rebuild host", "rebuilding a lost host", (_LOOK, _INCIDENT)),
    (r"outage|all|everything|full", "recovering all services at once", (_LOOK, _TO_MOMENT, _INCIDENT)),
    (r"rescue|tables?|rows?|channels?|messages?", _ROWS, (_WINDOW, _TO_MOMENT)),
    (r"when|search|find", "searching for the moment of a loss", (_WINDOW, _TO_MOMENT)),
    (r"drill|exercise|practi[cs]e|rehears(?:e|al)", "drills", (_VERIFY, _WINDOW)),
    (r"off-?site|schedule|hold|retention|dump|weekly|prune", "backups by schedule and off the site", (_BASE, _WINDOW)),
    (r"restore|backup|snapshot|dump", "restoring one backup as it is", (_TO_MOMENT, _WINDOW, _BASE)),
)
_PASSED_OVER = ("postgres", "database", "db", "the", "a", "to", "please", "run")
_TELLS = re.compile(r"\b(?:fail-?over|switch-?over|promote|corrupt(?:ed|ion)?|outage|rescue|drill)\b")
_ACTS = re.compile(r"\b(?:restart|start|stop|restore|recover|fresh|rebuild|flush|reload|fix|reset|bring|up|down)\b")


def not_built(said: str, family: str, stack: Stack, *, timed: bool = False) -> NotBuilt | None:
    """What of that is still to come; None where the words are about nothing of the kind.

    Who speaks of a restore to a time (`timed`) means no backup as it is, whatever words are not understood beside it.
    """
    words = re.findall(r"[a-z][a-z0-9_.-]*", said.casefold())
    other = _other_service(words, stack)
    if family == "recover" and other and (_ACTS.search(said.casefold()) or len(words) == 1):
        return NotBuilt(f"the recovery of {other}", (_LOOK, _INCIDENT))
    if family not in ("recover", "backup"):
        return None
    told = [word for word in words if word not in _PASSED_OVER]
    # Without a verb of recovery it has to begin so: a word somewhere in a sentence tells nothing.
    where = told if _ACTS.search(said.casefold()) or _TELLS.search(said.casefold()) else told[:1]
    topics = (one for one in _TOPICS if not timed or one[1] == _ROWS)
    found = (NotBuilt(what, today) for pattern, what, today in topics for word in where if re.fullmatch(pattern, word))
    return next(found, None)


def _other_service(words: list[str], stack: Stack) -> str:
    """The first service, or kind of one, that is no PostgreSQL."""
    kinds = {str(kind) for kind in ServiceKind} - {str(ServiceKind.POSTGRES), "other"}
    for word in words:
        service = service_of(stack, word)
        if word in kinds or (service is not None and service.kind is not ServiceKind.POSTGRES):
            return word
    return ""
