"""Keeping the page over a restart: one JSON file, written after every change."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from lab.statuspage.world import Component, Incident, Update, World


def save(world: World, path: Path) -> None:
    """Write beside, then rename: a crash leaves the old file or the new one."""
    beside = path.with_suffix(path.suffix + ".new")
    beside.parent.mkdir(parents=True, exist_ok=True)
    kept = {"components": [asdict(c) for c in world.components], "incidents": [asdict(i) for i in world.incidents]}
    beside.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    beside.replace(path)


def load(world: World, path: Path) -> None:
    """Take over what was kept, and keep every change from now on."""
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        world.components = [Component(**c) for c in kept["components"]]
        world.incidents = [_incident(i) for i in kept["incidents"]]
    world.changed = lambda: save(world, path)


def _incident(kept: dict[str, object]) -> Incident:
    incident = Incident(**kept)  # type: ignore[arg-type]
    incident.updates = [Update(**u) for u in incident.updates]  # type: ignore[arg-type]
    return incident
