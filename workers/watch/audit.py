"""The self-audit: whether a recovery could be begun, carried out and believed right now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from actions.clock.times import span_words
from actions.engine.errors import NOT_READ, RecoveryError
from actions.engine.journal import first_broken
from actions.engine.next_move import Wait, next_move
from actions.engine.procedure import Procedure
from actions.findings import Finding
from actions.settings.outside import HeartbeatSettings
from actions.settings.settings import Settings
from actions.store import notes
from actions.store.store import Store
from actions.watch.service_condition import OLD, conditions

NOTE = "audit"
"""The kind of the note that tells how the last audit went; its key is the site."""

_RECENT = 10
_LEFT = "No worker carries them on; look at the worker's log, then: mayday carry-out RUN"
_HELD = "See on the Docker host whether `docker info` answers; then restart the worker that holds it, see its log."


@dataclass(frozen=True)
class Audit:
    """Looks at one site's installation; each look is a finding, and one that fails keeps the heart from beating.

    `servers` are the PostgreSQL services of the site of whose backups the settings tell.
    """

    store: Store
    find: Callable[[str], Procedure]
    site: str
    servers: Sequence[str]
    settings: HeartbeatSettings

    def look(self) -> list[Finding]:
        """All findings; where the store does not answer, that alone."""
        try:
            self.store.keep(NOTE, f"{self.site} looking", "")
            return [
                Finding("store", True, "can be written"),
                *self._chains(),
                self._worker(),
                *map(self._archive, self.servers),
                self._stuck(),
            ]
        except SQLAlchemyError as away:
            return [Finding("store", False, type(away).__name__, "See that the disk has room and `store` is right.")]

    def look_at_site(self) -> list[Finding]:
        """What there is to find of its site alone, under its name; whoever looks at all says how the store is."""
        try:
            found = [self._worker(), *map(self._archive, self.servers), self._stuck()]
        except SQLAlchemyError:
            return []
        return [replace(one, name=f"{one.name} of {self.site}") for one in found]

    def _chains(self) -> Iterator[Finding]:
        broken = [run for run in self.store.runs(limit=_RECENT) if self._is_broken(run)]
        yield Finding(
            "journals",
            not broken,
            f"broken: {', '.join(broken)}" if broken else "their chains hold",
            "mayday journal verify names the entry; somebody changed the store by hand.",
        )

    def _worker(self) -> Finding:
        alive = notes.living_on(self.store, self.site)
        return Finding("worker", bool(alive), f"{len(alive)} alive" if alive else "none is alive", "mayday worker")

    def _is_broken(self, run: str) -> bool:
        try:
            return first_broken(self.store.entries(run)) is not None
        except NOT_READ:
            return True

    def _archive(self, service: str) -> Finding:
        now, name = self.store.clock(), "WAL archive" if len(self.servers) == 1 else f"WAL archive of {service}"
        seen = conditions(self.store, self.site).get(service)
        if seen is None or seen.reachable is None:
            said = (seen.problem if seen else "") or "nobody has looked at it yet"
            return Finding(name, False, said, "See that Docker answers and the database runs: mayday doctor")
        age = now - seen.reachable.seen_at
        # While a run is carried out nobody looks; a recovery must not silence the heart.
        if age > OLD + timedelta(minutes=self.settings.archive_minutes) and not self.store.leased():
            said = f"last seen {span_words(age)} ago. {seen.problem}".strip()
            return Finding(name, False, said, "See that the database runs: mayday doctor")
        behind = seen.reachable.behind
        fresh = behind <= timedelta(minutes=self.settings.archive_minutes)
        return Finding(
            name,
            fresh,
            "has all WAL" if not behind else f"behind for {span_words(behind)}",
            "See pg_stat_archiver for the last failure.",
        )

    def _stuck(self) -> Finding:
        stuck = [run for run in self.store.runs(open_only=True) if not self._is_broken(run) and self._is_stuck(run)]
        held = sorted(self.store.leased().intersection(stuck))
        left = [run for run in stuck if run not in held]
        seen = [f"stand still: {', '.join(left)}"] if left else []
        if held:
            minutes = f"{self.settings.stuck_minutes:g} min"
            seen.append(f"held by a worker that Docker has not answered for {minutes}: {', '.join(held)}")
        return Finding("runs", not stuck, "; ".join(seen) or "none stands still", _HELD if held else _LEFT)

    def _is_stuck(self, run: str) -> bool:
        told = self.store.entries(run)
        edge = self.store.clock() - timedelta(minutes=self.settings.stuck_minutes)
        if told[0].data.get("site") != self.site or told[-1].at >= edge:
            return False
        # That its worker lives says nothing of the thread that carries it out, which may wait for Docker for ever.
        if run in self.store.leased() and run in notes.show_life(self.store, edge):
            return False
        try:
            procedure = self.find(told[0].data["procedure"])
        except RecoveryError:
            return False  # Another version's; this worker could not carry it on.
        return not isinstance(next_move(procedure, self.store.run(run), self.store.clock()), Wait)


def keep(store: Store, site: str, found: list[Finding], called: str) -> None:
    """Note how the audit went, and how the heartbeat's address was called (empty: it was not)."""
    failed = [asdict(finding) for finding in found if not finding.ok]
    store.keep(NOTE, site, {"at": store.clock().isoformat(), "failed": failed, "called": called})


def last(store: Store, site: str) -> tuple[datetime, list[Finding], str] | None:
    """When the last audit was, what failed, and how the address was called; None where there was none."""
    kept: dict[str, Any] | None = store.note(NOTE, site)
    if not kept:
        return None
    return datetime.fromisoformat(kept["at"]), [Finding(**failed) for failed in kept["failed"]], str(kept["called"])


def finding(settings: Settings, store: Store) -> Finding:
    """How the worker's last self-audit went."""
    name, seen = "self-audit", last(store, settings.site.name)
    if seen is None or store.clock() - seen[0] > timedelta(seconds=3 * settings.heartbeat.every + 60):
        return Finding(name, False, "no worker has made one lately", "Start one: mayday worker")
    _, failed, called = seen
    if failed:
        return Finding(name, False, "; ".join(f"{f.name}: {f.seen}" for f in failed), failed[0].do)
    if not settings.heartbeat.url.get_secret_value():
        return Finding(name, True, "passes; no heartbeat address is set")
    return Finding(
        name,
        called == "answered",
        f"passes; the heartbeat's address {called}",
        "Look at `heartbeat.url` in the settings.",
    )
