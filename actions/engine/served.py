"""Who serves which sites and lanes, as the workers themselves say it with each heartbeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actions.engine.lanes import LANES, Lane

_BEFORE = (Lane.RECOVERY, Lane.ERRAND, Lane.BACKUP)
"""What a worker serves that says nothing of lanes: one of an earlier version."""


def sites_of(worker: Mapping[str, Any]) -> tuple[str, ...]:
    """The sites that a worker serves; none where it does not say, which means whichever is asked for."""
    return tuple(map(str, worker.get("sites") or ([worker["site"]] if worker.get("site") else [])))


def lanes_of(worker: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the lanes that a worker serves."""
    return tuple(map(str, worker.get("lanes") or [LANES[lane].name for lane in _BEFORE]))


def serves(worker: Mapping[str, Any], site: str, lane: Lane | None = None) -> bool:
    """Whether a worker, as it noted itself, carries out runs of that site (in that lane)."""
    sites = sites_of(worker)
    return (not sites or site in sites) and (lane is None or LANES[lane].name in lanes_of(worker))


def unserved(workers: Iterable[Mapping[str, Any]], sites: Iterable[str]) -> list[str]:
    """What none of these workers serves: sites as a whole, else lanes of a site, in words."""
    known, lacking = list(workers), list[str]()
    for site in sites:
        lanes = [spec.name for lane, spec in LANES.items() if not any(serves(w, site, lane) for w in known)]
        if len(lanes) == len(LANES):
            lacking.append(f"site {site}")
        elif lanes:
            lacking.append(f"{' and '.join(lanes)} of site {site}")
    return lacking


def told(worker: Mapping[str, Any], name: str = "") -> str:
    """A worker in a few words: its host, its sites, and its lanes where these are not all."""
    host, sites, lanes = str(worker.get("host") or name), sites_of(worker), lanes_of(worker)
    some = f", {' and '.join(lanes)} alone" if worker.get("lanes") and len(lanes) < len(LANES) else ""
    return f"{host} for {'site' if len(sites) == 1 else 'sites'} {', '.join(sites)}{some}" if sites else host
