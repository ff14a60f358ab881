"""What a run may leave behind, and what it must not."""

from __future__ import annotations

from collections.abc import Iterator

from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from tests.soak.seen import Seen

_BASE = "take a fresh base backup"


def left_over(seen: Seen) -> Iterator[str]:
    """Everything that is there and should not be, or not as it was."""
    after = seen.after
    yield from _beside(seen)
    yield from _bases(seen)
    for container in after.containers:
        yield f"left: the container {container}"
    for name, state in after.states.items():
        if state != "running":
            yield f"left: {name} is {state}"
    for name, policy in after.policies.items():
        if policy != seen.before.policies.get(name):
            yield f"left: {name} is restarted by Docker '{policy}', was '{seen.before.policies.get(name)}'"
    if after.slots:
        yield f"left: {after.slots} replication slots"
    if after.sessions:
        yield f"left: {after.sessions} sessions of base backups"
    for run in sorted(after.leases):
        yield f"left: a lease of {run}"


def _outcome(seen: Seen) -> str:
    return next((str(e.data["outcome"]) for e in seen.entries if e.kind is Kind.FINISHED), "")


def _beside(seen: Seen) -> Iterator[str]:
    new, end, run = seen.after.beside - seen.before.beside, _outcome(seen), seen.run
    kept, other = ("before", "discarded") if end == Outcome.RECOVERED else ("discarded", "before")
    may = {f"postgres_{kept}_{run}", f"postgres_{kept}_{run}.mayday.json", f"postgres_wal_{run}"}
    for name in sorted(new - may):
        yield f"left: {name} beside the live data, after a run that was {end or 'not ended'}"
    if end == Outcome.RECOVERED and f"postgres_before_{run}" not in new:
        yield f"left: the old data is not kept as postgres_before_{run}; there is {sorted(new)}, no {other}"
    for name in sorted(seen.before.beside - seen.after.beside):
        yield f"left: {name} is gone, and nobody may remove it"


def _bases(seen: Seen) -> Iterator[str]:
    done = [e for e in seen.entries if e.kind is Kind.DONE and e.data.get("title") == _BASE]
    taken, missed = sum(not e.data.get("missed") for e in done), sum(bool(e.data.get("missed")) for e in done)
    new = seen.after.bases - seen.before.bases
    whole = {name for name in new if not name.startswith(".")}
    if len(whole) != taken:
        yield f"left: {len(whole)} new base backups {sorted(whole)}, the journal tells of {taken}"
    if new - whole and not missed:
        yield f"left: {sorted(new - whole)} among the base backups"
    for name in sorted(seen.before.bases - seen.after.bases):
        if not name.startswith("."):
            yield f"left: the base backup {name} is gone"
