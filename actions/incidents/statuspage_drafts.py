"""What a draft for the status page says, from plain values: for customers, in their words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from actions.incidents.public_text import fit, in_plain_words
from actions.tools.outside import Draft

Kind = Literal["opened", "started", "finished", "failed", "resolved"]
"""What happened: an incident opened; a recovery started, finished, failed; the incident is over."""

_STATUS: dict[Kind, str] = {
    "opened": "investigating",
    "started": "identified",
    "finished": "monitoring",
    "failed": "identified",
    "resolved": "resolved",
}

# How bad it is, by the words that people and PagerDuty use for it.
_CRITICAL = frozenset({"critical", "sev1", "sev-1", "p1", "1", "fatal"})
_MINOR = frozenset({"minor", "low", "warning", "sev3", "sev-3", "p3", "p4", "3", "4"})
_NONE = frozenset({"none", "info", "notice", "sev4", "sev-4", "sev5", "p5", "5"})

_DURING = {"critical": "major_outage", "major": "partial_outage", "minor": "degraded_performance"}
_BESIDE = {"critical": "partial_outage", "major": "degraded_performance", "minor": "degraded_performance"}

_ELSE = "some of our services"
# What customers call a service, by its kind; of another nothing is said, least of all its name.
_SUBJECTS = {
    "postgres": "messages and their history",
    "hasura": "our API",
    "auth": "sign-in",
    "redis": "live updates",
    "minio": "files and uploads",
    "meilisearch": "search",
    "functions": "automations and integrations",
}

# What holds of every procedure; one that does more than that has words of its own.
_TEXTS: dict[Kind, str] = {
    "opened": "We are looking into a problem with {subject}. We will say more here as soon as we know more.",
    "started": "We are working on {subject}. Until this is done, some things may not work.",
    "finished": "Our work on {subject} is done. We are watching whether all stays well.",
    "failed": "An attempt to mend {subject} has not worked. Our engineers go on with it; the next report follows here.",
    "resolved": "The problem with {subject} is over. Everything works as it should again.",
}


def draft_for(
    kind: Kind,
    *,
    incident: str,
    service: str,
    about: str = "",
    summary: str = "",
    severity: str = "",
    target: datetime | None = None,
    lost: str = "",
    components: Mapping[str, str] | None = None,
    beside: Sequence[str] = (),
    notify: bool = True,
    words: Mapping[str, str] | None = None,
) -> Draft:
    """The draft that is offered to a person, or published where the settings allow it.

    `about` is the kind of the service, `target` the moment that a recovery goes back to, `lost` how much it gave up,
    as a length of time (empty where that is not known). `components` maps services to the page's components (the
    setting `statuspage.components`); `beside` names services that suffer with this one. `words` are the procedure's own
    for the public, by kind.
    """
    impact = impact_of(severity)
    subject = _SUBJECTS.get(about, _ELSE)
    title = in_plain_words(summary) or f"Problem with {subject}"
    touched = _touched(kind, impact, service, beside, components or {})
    text = _text((words or {}).get(kind) or _TEXTS[kind], subject, target, lost)
    return fit(Draft(incident, title, _STATUS[kind], text, impact, touched, notify))


def impact_of(severity: str) -> str:
    """A severity as a status page's impact: none, minor, major, critical. An unknown one is major."""
    said = set(re.split(r"[\s:,;/()]+", severity.casefold()))
    named = {"critical": _CRITICAL, "minor": _MINOR, "none": _NONE}
    return next((impact for impact, words in named.items() if said & words), "major")


def _text(words: str, subject: str, target: datetime | None, length: str) -> str:
    to = f" to the state of {_moment(target)}" if target else ""
    after = f"What was written in {length} after that moment" if length else "What was written after that moment"
    lost = f" {after} may be missing." if target else ""
    return words.format(subject=subject, to=to, lost=lost)


def _moment(target: datetime) -> str:
    at = target.astimezone(UTC)
    seconds = f":{at:%S}" if at.second else ""
    return f"{at:%H:%M}{seconds} UTC on {at.day} {at:%B %Y}"


def _touched(
    kind: Kind, impact: str, service: str, beside: Sequence[str], components: Mapping[str, str]
) -> dict[str, str]:
    """The components and what they are; the service's own is set last, as several may share one."""
    if impact == "none":
        return {}
    names = [*((name, _BESIDE) for name in beside), (service, _DURING)]
    return {components[name]: _now(kind, levels[impact]) for name, levels in names if name in components}


def _now(kind: Kind, during: str) -> str:
    return {"finished": "degraded_performance", "resolved": "operational"}.get(kind, during)
