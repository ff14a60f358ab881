"""Which of a server's preloaded libraries the clone loads: what recovery and reading need, and nothing that may act.

A library of shared_preload_libraries may start background workers, and PostgreSQL has no setting that keeps them from
it. Once the clone is promoted, alone, such a worker would run jobs that the live server runs as well: delete old rows,
send mail, drop partitions. Recovery itself needs only libraries that brought their own kind of WAL record
(RegisterCustomRmgr, since PostgreSQL 15) or that store the data their own way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# They start no worker that writes to a database.
HARMLESS = frozenset(
    {
        "anon",
        "auth_delay",
        "auto_explain",
        "pg_hint_plan",
        "pg_qualstats",
        "pg_stat_kcache",
        "pg_stat_monitor",
        "pg_stat_statements",
        "pg_wait_sampling",
        "pgaudit",
        "pgauditlogtofile",
        "pgextwlist",
        "plan_filter",
        "plpgsql",
        "plpgsql_check",
        "plprofiler",
        "safeupdate",
        "set_user",
        "supautils",
        "vector",
        "wal2json",
    }
)
# The data cannot be replayed or read without them, and these settings keep their workers away.
QUIETENED: dict[str, tuple[tuple[str, str], ...]] = {
    "timescaledb": (("timescaledb.max_background_workers", "0"), ("timescaledb.telemetry_level", "off")),
    "pg_tde": (),
    "pg_prewarm": (("pg_prewarm.autoprewarm", "off"),),
}


@dataclass(frozen=True)
class Preload:
    """What the clone loads with which settings, and what it leaves out until the cut-over."""

    loaded: tuple[str, ...]
    left: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]


def preload(libraries: Iterable[str], settings: Iterable[tuple[str, str]], wanted: Iterable[str] = ()) -> Preload:
    """Sort the live server's libraries; `wanted` are those that the settings of the site name (clone_libraries).

    A library's own settings go with it, as what it needs to start may stand there.
    """
    # Of a server that does not answer not all may be known; what people name is loaded in any case.
    asked = tuple(wanted)
    names = tuple(dict.fromkeys((*libraries, *asked)))
    loaded = tuple(name for name in names if name in HARMLESS or name in QUIETENED or name in asked)
    own = tuple((key, value) for key, value in settings if key.partition(".")[0] in loaded)
    quiet = tuple(pair for name in loaded for pair in QUIETENED.get(name, ()))
    return Preload(loaded, tuple(name for name in names if name not in loaded), (*own, *quiet))


def as_settings(chosen: Preload) -> tuple[tuple[str, str], ...]:
    """The clone's settings for it. Also given where nothing is loaded: ALTER SYSTEM may have named libraries."""
    return (
        ("shared_preload_libraries", ",".join(chosen.loaded)),
        ("session_preload_libraries", ""),
        ("local_preload_libraries", ""),
        *chosen.settings,
    )
