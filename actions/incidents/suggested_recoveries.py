"""Which recoveries fit an incident: by its service, by the alert's words, by how the stack looks now."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from actions.engine.lanes import Lane
from actions.engine.procedure import Procedure
from actions.incidents.incident import Incident
from actions.stack.manual import MANUAL
from actions.stack.stack import ServiceKind, Stack, service_of
from actions.watch.row_counts import RowLoss
from actions.watch.service_condition import Condition, Health

MOST = 25
_LOSSES = 3
_FOR_LOSSES = ("when", "pitr", "rescue", "window")
_FOR_MEMORY = ("restart", "redis")
_WORDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        r"\b(missing|vanish\w*|deleted?|dropped|truncat\w*|emptied|lost|gone|wrong data)\b",
        "the alert tells of missing data",
        _FOR_LOSSES,
    ),
    (
        r"\b(corrupt\w*|checksum\w*|invalid page|bad block|pg_wal|could not read block)\b",
        "the alert tells of damaged data",
        ("corruption", "verify", "restore", "pitr"),
    ),
    (r"\b(oom|out of memory|maxmemory)\b", "the alert tells of memory", _FOR_MEMORY),
    (
        r"\b(down|unreachable|refused|unhealthy|crash\w*|restarting|not responding|timeouts?)\b",
        "the alert tells of a service that does not answer",
        ("restart", "verify", "failover", "all"),
    ),
    (r"\b(replica\w*|standby|primary|lag)\b", "the alert tells of replication", ("failover", "switchover", "rejoin")),
    (r"\b(backups?|archiv\w*|wal)\b", "the alert tells of backups", ("backup", "window", "base")),
    (r"\b(region|data ?cent(?:er|re)|site)\b", "the alert tells of a whole site", ("region", "all")),
)
_LOOKS = {
    "missing": (("restart", "all", "pitr"), "its container is missing"),
    "stopped": (("restart", "verify", "pitr"), "its container is stopped"),
    "restarting": (("corruption", "restart", "verify", "pitr"), "its container starts again and again"),
    "unhealthy": (("restart", "verify"), "its container is unhealthy"),
}


@dataclass(frozen=True)
class Fit:
    """A procedure, and why it is offered. `weight` is how many reasons there are, and how good."""

    procedure: Procedure
    why: str = ""
    weight: int = 0


def fitting(
    incident: Incident,
    catalog: Sequence[Procedure],
    seen: Mapping[str, Condition],
    losses: Sequence[RowLoss] = (),
    stack: Stack = MANUAL,
) -> list[Fit]:
    """The recoveries to offer, the best first; all there are, as nobody should have to type for want of a guess."""
    vanished = [(loss.says(), _FOR_LOSSES) for loss in losses[:_LOSSES]]
    reasons = [*_of_words(incident), *_of_looks(incident, seen), *vanished]
    services = (service_of(stack, name) for name in incident.services)
    kinds = {service.kind if service else ServiceKind.OTHER for service in services}
    found = [_weighed(procedure, kinds, reasons) for procedure in catalog if procedure.lane is not Lane.ERRAND]
    return sorted(found, key=lambda fit: -fit.weight)[:MOST]


def sentence(procedure: Procedure, service: str = "") -> str:
    """What a recovery does, in a few words: Bring PostgreSQL back to a moment."""
    named = service or {"postgres": "PostgreSQL"}.get(procedure.about, procedure.about or "the site")
    first = re.split(r"[,.;]", procedure.summary)[0]
    return re.sub(r"\{\w+\}", "a moment", first.replace("{service}", named).replace("run {run}", "a run"))


def looks(incident: Incident, seen: Mapping[str, Condition]) -> list[str]:
    """What a quick look at the incident's services shows, whether or not a recovery is for it."""
    return list(dict.fromkeys(why for why, _ in _of_looks(incident, seen)))


def _weighed(procedure: Procedure, kinds: Collection[str], reasons: list[tuple[str, tuple[str, ...]]]) -> Fit:
    """`kinds` are those of the incident's services. What is about another kind is not for it."""
    words = set(procedure.words.command.casefold().split())
    ours = procedure.about in kinds
    if procedure.about and not ours and kinds:
        return Fit(procedure)
    why = [reason for reason, verbs in reasons if words & set(verbs)]
    return Fit(procedure, "; ".join(why), 3 * ours + 2 * len(why))


def _of_words(incident: Incident) -> Iterable[tuple[str, tuple[str, ...]]]:
    titles = " ".join([incident.title, *(alert.paged.title for alert in incident.open_alerts[:50])])
    return ((why, verbs) for pattern, why, verbs in _WORDS if re.search(pattern, titles, re.IGNORECASE))


def _of_looks(incident: Incident, seen: Mapping[str, Condition]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for service in sorted(incident.services & seen.keys()):
        yield from _of_container(seen[service].health)
        yield from _of_memory(seen[service])


def _of_container(health: Health) -> Iterable[tuple[str, tuple[str, ...]]]:
    if health.word in _LOOKS:
        verbs, why = _LOOKS[health.word]
        yield f"{why} ({health.detail})" if health.detail else why, verbs


def _of_memory(seen: Condition) -> Iterable[tuple[str, tuple[str, ...]]]:
    """By the container's mark and by Redis's own word; an exit code says only that somebody killed it."""
    if seen.health.starved:
        yield "the kernel ended it for want of memory", _FOR_MEMORY
    elif seen.health.kind == ServiceKind.REDIS and "137" in seen.health.detail:
        yield "it was killed, perhaps for want of memory", _FOR_MEMORY
    if seen.memory is not None and (said := seen.memory.says()):
        yield said, () if seen.memory.problem else _FOR_MEMORY
