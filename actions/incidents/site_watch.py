"""What is looked at of one site before anything is paged: whether a worker of it lives, what could be recovered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from actions.clock.times import span_words
from actions.engine.errors import RecoveryError
from actions.engine.fact_roles import fact_with
from actions.engine.facts import from_json
from actions.engine.procedure import FactRole, Procedure
from actions.incidents.alarms import SiteFacts
from actions.postgres.archiver import Archiving
from actions.settings.settings import Settings
from actions.store import notes
from actions.store.store import Store
from actions.watch.service_condition import conditions

LOOKED_AT = 20
"""So many of the newest runs are read for what they saw."""


@dataclass(frozen=True)
class SiteWatch:
    """One look at a site, in the store alone. `servers` are its PostgreSQL services, its own first.

    `archive_limit` is how long WAL may wait for the archive; `at` is what a command has to say that means this site.
    """

    store: Store
    find: Callable[[str], Procedure]
    site: str
    servers: Sequence[str]
    archive_limit: timedelta = timedelta(minutes=10)
    at: str = ""

    def facts(self, at_work: Collection[tuple[str, str]]) -> SiteFacts:
        """What can be seen. While a run is about a server, by site and service, nobody looks at its archive."""
        return SiteFacts(self.site, self._worker_at(), dict(self._lost(at_work)))

    def _lost(self, at_work: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for n, service in enumerate(self.servers):
            busy = (self.site, service) in at_work
            if why := self._not_arriving(service) or ("" if busy else self._unrecoverable(service)):
                yield service if n else "", why

    def _worker_at(self) -> datetime | None:
        """When a worker of the site last lived: now, or at the last moment that was noticed here."""
        if notes.living_on(self.store, self.site):
            self.store.keep("alive", self.site, self.store.clock().isoformat())
        seen = self.store.note("alive", self.site)
        return datetime.fromisoformat(seen) if seen else None

    def _not_arriving(self, service: str) -> str:
        """Why what is written since the newest recovery does not arrive in the archive, as that run saw it.

        It stands until somebody has looked after that and saw it arrive.
        """
        newest = self.store.readable(self.store.runs(limit=LOOKED_AT))
        seen = next(filter(None, (self._arrival(run, service) for run in newest)), None)
        if seen is None or not seen.broken or seen.at is None:
            return ""
        now = conditions(self.store, self.site).get(service)
        later = now.reachable if now is not None and now.reachable is not None else None
        since = later.archiving if later is not None and later.seen_at > seen.at else seen
        if since.state == "well":
            return ""
        return f"WAL of {service} does not arrive in the archive: {(since if since.broken else seen).brief}"

    def _arrival(self, name: str, service: str) -> Archiving | None:
        """What a recovery of the watched service, or a base backup, saw of the archive last."""
        run = self.store.run(name)
        mine = run.service == service and run.site == self.site
        fact = fact_with(known(self.find, run.procedure), run, FactRole.ARRIVAL) if mine else None
        try:
            return from_json(Archiving, fact) if fact else None
        except ValidationError:  # Another version wrote it.
            return None

    def _unrecoverable(self, service: str) -> str:
        """Why nothing recent could be recovered to; nothing where nobody has looked lately."""
        now = self.store.clock()
        seen = conditions(self.store, self.site).get(service)
        if seen is None or seen.old(now):
            return ""
        if (blind := seen.blind(now)) > self.archive_limit:
            how_long = span_words(blind)
            return f"backups and archive of {service} could not be looked at for {how_long}. {seen.problem}"
        if seen.reachable is None:
            return ""
        if seen.reachable.earliest is None or seen.reachable.latest is None:
            return f"no moment of {service} can be reached. Take a base backup: /backup run base{self._named(service)}"
        if seen.reachable.behind <= self.archive_limit:
            return ""
        archiving = seen.reachable.archiving
        why = f": {archiving.brief}" if archiving.broken else ""
        return f"WAL of {service} is not archived any more{why}"

    def _named(self, service: str) -> str:
        """What a command has to say so that this server is meant."""
        return (f" {service}" if len(self.servers) > 1 else "") + self.at


def known(find: Callable[[str], Procedure], name: str) -> Procedure | None:
    """The procedure of that name; None where this version no longer has it."""
    try:
        return find(name)
    except RecoveryError:
        return None


def site_watches(
    settings: Settings, store: Store, find: Callable[[str], Procedure], archive_limit: timedelta = timedelta(minutes=10)
) -> tuple[SiteWatch, ...]:
    """All sites of the settings: whoever leads looks at each."""
    return tuple(
        SiteWatch(
            store,
            find,
            site.name,
            [one.postgres for one in settings.servers(site.name)],
            archive_limit,
            "" if site.name == settings.site.name else f" @ {site.name}",
        )
        for site in settings.stack()
    )
