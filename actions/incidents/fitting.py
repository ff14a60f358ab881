"""Which recoveries fit an incident: by its service, by the alert's words, by how the stack looks now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from actions.engine.procedure import Lane, Procedure
from actions.incidents.condition import Health
from actions.incidents.incident import Incident
from actions.incidents.rows import Loss

MOST = 25
_LOSSES = 3
_FOR_LOSSES = ("when", "pitr", "rescue", "window")
_WORDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"\b(missing|vanish\w*|deleted?|dropped|truncat\w*|emptied|lost|gone|wrong data)\b",
     "the alert tells of missing data", _FOR_LOSSES),
    (r"\b(corrupt\w*|checksum\w*|invalid page|bad block|pg_wal|could not read block)\b",
     "the alert tells of damaged data", ("corruption", "verify", "restore", "pitr")),
    (r"\b(oom|out of memory|maxmemory)\b", "the alert tells of memory", ("restart", "redis")),
    (r"\b(down|unreachable|refused|unhealthy|crash\w*|restarting|not responding|timeouts?)\b",
     "the alert tells of a service that does not answer", ("restart", "verify", "failover", "all")),
    (r"\b(replica\w*|standby|primary|lag)\b", "the alert tells of replication", ("failover", "switchover", "rejoin")),
    (r"\b(backups?|archiv\w*|wal)\b", "the alert tells of backups", ("backup", "window", "base")),
    (r"\b(region|data ?cent(?:er|re)|site)\b", "the alert tells of a whole site", ("region", "all")),
)  # fmt: skip
_LOOKS = {
    "missing": (("restart", "all", "pitr"), "its container is missing"),
    "stopped": (("restart", "verify", "pitr"), "its container is stopped"),
    "restarting": (("corruption", "restart", "verify", "pitr"), "its container starts again and again"),
    "unhealthy": (("restart", "verify"), "its container is unhealthy"),
}
_KINDS = ("postgres", "hasura", "auth", "redis", "minio", "meilisearch", "functions", "monitoring", "region")


@dataclass(frozen=True)
class Fit:
    """A procedure, and why it is offered. `weight` is how many reasons there are, and how good."""

    procedure: Procedure
    why: str = ""
    weight: int = 0


def fitting(
    incident: Incident, catalog: Sequence[Procedure], health: Mapping[str, Health], losses: Sequence[Loss] = ()
) -> list[Fit]:
    """The recoveries to offer, the best first; all there are, as nobody should have to type for want of a guess."""
    vanished = [(loss.says(), _FOR_LOSSES) for loss in losses[:_LOSSES]]
    reasons = [*_of_words(incident), *_of_looks(incident, health), *vanished]
    found = [_weighed(procedure, incident, reasons) for procedure in catalog if procedure.lane is Lane.RECOVERY]
    return sorted(found, key=lambda fit: -fit.weight)[:MOST]


def _weighed(procedure: Procedure, incident: Incident, reasons: list[tuple[str, tuple[str, ...]]]) -> Fit:
    words = set(procedure.words.command.casefold().split())
    about = [kind for kind in _KINDS if kind in words]
    ours = any(kind in service for kind in about for service in incident.services)
    if about and not ours and incident.services:
        return Fit(procedure)
    why = [reason for reason, verbs in reasons if words & set(verbs)]
    return Fit(procedure, "; ".join(why), 3 * ours + 2 * len(why))


def _of_words(incident: Incident) -> Iterable[tuple[str, tuple[str, ...]]]:
    titles = " ".join([incident.title, *(alert.paged.title for alert in incident.open_alerts[:50])])
    return ((why, verbs) for pattern, why, verbs in _WORDS if re.search(pattern, titles, re.IGNORECASE))


def _of_looks(incident: Incident, health: Mapping[str, Health]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for service in sorted(incident.services):
        seen = health.get(service)
        if seen is not None and seen.word in _LOOKS:
            verbs, why = _LOOKS[seen.word]
            yield f"{why} ({seen.detail})" if seen.detail else why, verbs
        if seen is not None and "redis" in service and "137" in seen.detail:
            yield "Redis was ended for want of memory", ("restart", "redis")
