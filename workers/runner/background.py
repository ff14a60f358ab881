"""The chores of a worker: what it does beside carrying runs out. One line for each."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from actions.chores.chores import Chore
from actions.engine.procedure import Procedure
from actions.settings.settings import Settings
from actions.stack.choose import site_named
from actions.store import notes
from actions.store.anchors import AnchorFile, anchors_path
from actions.store.store import Store
from workers.adapters import Adapters
from workers.runner.toolbox import docker_toolbox
from workers.watch.anchor_journals import Anchoring
from workers.watch.audit import Audit
from workers.watch.condition_keeper import ConditionKeeper
from workers.watch.deadman import DeadMan
from workers.watch.outside_chores import Outside
from workers.watch.replication_watch import replication_chores
from workers.watch.schedule_ticks import schedule_chore

_TIDY_EVERY = 600.0


def background_chores(
    settings: Settings,
    store: Store,
    find: Callable[[str], Procedure],
    adapters: Adapters,
    owner: str,
    enqueue: Callable[[str], object],
    sites: Sequence[str],
) -> tuple[Chore, ...]:
    """Everything that one worker does beside. Who serves a site looks after its condition."""
    outside = Outside(settings, store, find, owner, enqueue, adapters.pagerduty, adapters.pager)
    noted = anchors_path(settings.anchors, settings.store)
    return (
        *outside.chores(),
        schedule_chore(settings, store, find, enqueue),
        Chore("forget old deliveries", _TIDY_EVERY, lambda: notes.forget_old_deliveries(store), store),
        *((Anchoring(store, AnchorFile(Path(noted))).chore(socket.gethostname()),) if noted else ()),
        *replication_chores(settings, store, enqueue, sites),
        *(chore for name in sites for chore in _of_the_site(settings, store, find, name)),
    )


def _of_the_site(settings: Settings, store: Store, find: Callable[[str], Procedure], name: str) -> Iterator[Chore]:
    """What is looked at of a site that is served. Who serves the default one audits all of them."""
    site, servers = site_named(settings.stack(), name), settings.servers(name)
    near = (other for other in settings.stack() if other.name != name and other.docker == site.docker)
    elsewhere = [service for other in near for service in other.services]
    toolbox = docker_toolbox(settings, store, name)
    yield ConditionKeeper(store, toolbox, name, servers, site.services, elsewhere, site.project).chore()
    if name == settings.site.name:
        own, *others = (_audit(settings, store, find, one.name) for one in settings.stack())
        yield DeadMan(own, others).chore()


def _audit(settings: Settings, store: Store, find: Callable[[str], Procedure], name: str) -> Audit:
    return Audit(store, find, name, [one.postgres for one in settings.servers(name)], settings.heartbeat)
