"""The chores of a worker: what it does beside carrying runs out. One line for each."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from actions.engine import notes
from actions.engine.anchors import AnchorFile, anchors_path
from actions.engine.chores import Chore
from actions.engine.procedure import Procedure
from actions.engine.store import Store
from actions.settings.settings import Settings
from workers.adapters import Adapters
from workers.runner.toolbox import docker_toolbox
from workers.watch.anchor_journals import Anchoring
from workers.watch.audit import Audit
from workers.watch.condition_keeper import ConditionKeeper
from workers.watch.deadman import DeadMan
from workers.watch.outside_chores import Outside
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
    """Everything that one worker does beside. Who serves the default site looks after that one's condition."""
    outside = Outside(settings, store, find, owner, enqueue, adapters.pagerduty, adapters.pager)
    noted = anchors_path(settings.anchors, settings.store)
    return (
        *outside.chores(),
        schedule_chore(settings, store, find, enqueue),
        Chore("forget old deliveries", _TIDY_EVERY, lambda: notes.forget_old_deliveries(store), store),
        *((Anchoring(store, AnchorFile(Path(noted))).chore(socket.gethostname()),) if noted else ()),
        *(_of_the_site(settings, store, find) if settings.site.name in sites else ()),
    )


def _of_the_site(settings: Settings, store: Store, find: Callable[[str], Procedure]) -> tuple[Chore, ...]:
    toolbox, services = docker_toolbox(settings, store), settings.stack()[0].services
    keeper = ConditionKeeper(store, toolbox, settings.site.site(), services, settings.site.dumps)
    return keeper.chore(), DeadMan(Audit(store, find, settings.site, settings.heartbeat)).chore()
