"""What a worker does beside carrying runs out, each in a thread of its own. One line for each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from actions.engine.anchors import AnchorFile, anchors_path
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

Companion = Callable[[threading.Event], None]
"""Runs until the event is set."""


def companions(
    settings: Settings,
    store: Store,
    find: Callable[[str], Procedure],
    adapters: Adapters,
    owner: str,
    enqueue: Callable[[str], object],
) -> tuple[Companion, ...]:
    """Everything that one worker of the settings' site does beside."""
    site, servers = settings.site.name, settings.servers(settings.site.name)
    toolbox, services = docker_toolbox(settings, store), settings.stack()[0].services
    noted = anchors_path(settings.anchors, settings.store)
    anchoring = (Anchoring(store, AnchorFile(Path(noted))).run,) if noted else ()
    outside = Outside(settings, store, find, owner, enqueue, adapters.pagerduty, adapters.pager)
    return (
        outside.chores().run,
        ConditionKeeper(store, toolbox, site, servers, services).run,
        DeadMan(Audit(store, find, site, [one.postgres for one in servers], settings.heartbeat)).run,
        *anchoring,
    )
