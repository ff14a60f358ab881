"""What people do with an incident: declare it, say how bad it is, take a role, pin a message, resolve it.

Each is judged in the moment that it is written, and done once for each key: what Slack delivers twice is
said once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from actions.engine.errors import NOT_READ, Refused
from actions.engine.ids import INCIDENT, new_id
from actions.engine.journal import Entry, Kind
from actions.engine.rights import Speaker
from actions.incidents.incident import SEVERITIES, Incident, fold
from actions.incidents.open_errands import may_speak
from actions.redact import redact
from actions.store.ledger import Teller
from actions.store.store import Store
from actions.store.transaction import Draft
from actions.wording import shortened

ROLES = ("commander", "scribe", "communications", "operations")
"""The roles of an incident; `operations` is who carries the recovery out."""
_LONGEST_TITLE, _LONGEST_PIN = 200, 1000
_SAME = {
    **{f"{letter}{n}": SEVERITIES[n - 1] for letter in ("sev", "sev-", "p") for n in range(1, 5)},
    "major": "high",
    "minor": "low",
    "warning": "medium",
}


def severity_of(word: str) -> str:
    """A severity by any of its names, empty where it is none."""
    said = word.strip().casefold()
    return said if said in SEVERITIES else _SAME.get(said, "")


def known(store: Store, name: str) -> Incident:
    """The incident of that id.

    Raises:
        Refused: there is none.
    """
    told = store.entries(name)
    if not told or told[0].kind is not Kind.OPENED:
        raise Refused(
            f"There is no incident {name[:40]}.", code="MD-INC-005", hint="/incident lists those that are open."
        )
    return fold(told)


def open_incidents(store: Store, limit: int = 50) -> list[Incident]:
    """The incidents that somebody has to do something about, newest first."""
    found = (_readable(store, name) for name in store.incidents(limit, open_only=True))
    return [incident for incident in found if incident is not None and incident.open]


def _readable(store: Store, name: str) -> Incident | None:
    """The incident; None where its journal cannot be read, which the audit says: it must not hide all others."""
    try:
        return fold(store.entries(name))
    except NOT_READ:
        return None


def declare(store: Store, title: str, severity: str, by: Speaker, *, service: str = "", key: str) -> tuple[str, bool]:
    """Open an incident that PagerDuty does not know of. Returns its id and whether it is new.

    Raises:
        Refused: this person may not, or says nothing.
    """
    may_speak(by)
    said = shortened(redact(" ".join(title.split())), _LONGEST_TITLE)
    if not said:
        raise Refused(
            "What is wrong?",
            code="MD-INC-006",
            hint="Write for example: /incident declare messages are missing critical",
        )
    name = new_id(store.clock(), INCIDENT)
    told = {"source": "person", "title": said, "severity": severity, "service": service, **_who(by)}
    if store.extend(name, lambda _: [(Kind.OPENED, None, told)], key=key):
        return name, True
    return str(store.note("inbox", key)), False


def grade(store: Store, name: str, word: str, by: Speaker, *, key: str) -> list[Entry]:
    """Say how bad it is.

    Raises:
        Refused: this person may not, or there is no such severity.
    """
    severity = severity_of(word)
    if not severity:
        raise Refused(
            f"'{word[:40]}' is no severity.", code="MD-INC-007", hint=f"Write one of: {', '.join(SEVERITIES)}."
        )
    said = {"severity": severity, **_who(by)}
    return _speak(store, name, by, key, lambda i: None if i.severity == severity else (Kind.GRADED, None, said))


def give_role(store: Store, name: str, role: str, user: str, user_name: str, by: Speaker, *, key: str) -> list[Entry]:
    """Give a role to somebody, or take it.

    Raises:
        Refused: this person may not, or there is no such role.
    """
    wanted = next((known for known in ROLES if role and known.startswith(role.casefold())), "")
    if not wanted:
        raise Refused(f"'{role[:40]}' is no role.", code="MD-INC-008", hint=f"The roles are: {', '.join(ROLES)}.")
    said = {"role": wanted, "user": user, "user_name": user_name or user, **_who(by)}

    def judge(incident: Incident) -> Draft | None:
        return None if incident.roles.get(wanted, {}).get("id") == user else (Kind.ROLE, None, said)

    return _speak(store, name, by, key, judge)


def close(store: Store, name: str, by: Speaker, *, key: str) -> list[Entry]:
    """Say that it is over.

    Raises:
        Refused: this person may not.
    """
    return _speak(store, name, by, key, lambda incident: (Kind.CLOSED, None, _who(by)) if incident.open else None)


def pin(store: Store, name: str, at: datetime, text: str, author: str, by: Speaker, *, key: str) -> list[Entry]:
    """Put something that was said into the timeline; `key` is the message's own.

    Raises:
        Refused: this person may not.
    """
    may_speak(by)
    said = {
        "at": at.isoformat(),
        "text": shortened(redact(text), _LONGEST_PIN),
        "author": author,
        "key": key,
        **_who(by),
    }
    return _speak(store, name, by, f"pin {key}", lambda incident: (Kind.PINNED, None, said))


def remark(store: Store, name: str, text: str, *, key: str, offers: str = "") -> list[Entry]:
    """Say something in the incident's thread that Mayday itself has to say.

    `offers` is the kind of the status-page update that is offered with it.
    """
    said = {"text": text, "by": "Mayday", **({"offers": offers} if offers else {})}
    return store.extend(name, _teller(name, lambda incident: (Kind.NOTED, None, said)), key)


def _speak(store: Store, name: str, by: Speaker, key: str, judge: Callable[[Incident], Draft | None]) -> list[Entry]:
    may_speak(by)
    return store.extend(name, _teller(name, judge), key=key)


def _teller(name: str, judge: Callable[[Incident], Draft | None]) -> Teller:
    def tell(told: list[Entry]) -> Sequence[Draft]:
        if not told:
            raise Refused(
                f"There is no incident {name[:40]}.", code="MD-INC-009", hint="/incident lists those that are open."
            )
        draft = judge(fold(told))
        return [] if draft is None else [draft]

    return tell


def _who(by: Speaker) -> dict[str, str]:
    return {"by": by.id, "name": by.name}
