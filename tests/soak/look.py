"""Looks at the company after a round, with all faults taken back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from actions.engine.errors import RecoveryError
from actions.recoveries.postgres_pitr import PROCEDURE
from actions.store import notes
from lab import truth
from lab.company import clock
from lab.database import connected
from lab.engine import connect
from lab.slack.client import PracticeSlack
from tests.soak.damage import Damage, Picture, picture_now
from tests.soak.judge import outcome_of
from tests.soak.place import Place
from tests.soak.seen import Leavings, Seen

CHANNEL = "C0OPSEMERG"
_SETTLES_WITHIN = 120.0
_SLOTS = "select count(*) from pg_replication_slots"
_SESSIONS = "select count(*) from pg_stat_activity where backend_type = 'walsender'"


def leavings(place: Place, run: str = "") -> Leavings:
    """What lies and stands around now."""
    client, lab = connect(), place.lab
    services = [lab.container(name) for name in lab.services]
    found = {name: client.containers.get(name).attrs for name in services}
    made = client.api.containers(all=True, filters={"label": f"mayday.run={run}"}) if run else []
    with connected(lab) as db:
        slots, sessions = (int((db.execute(query).fetchone() or (0,))[0]) for query in (_SLOTS, _SESSIONS))
    return Leavings(
        beside=frozenset(path.name for path in lab.data("postgres").parent.iterdir()),
        bases=frozenset(path.name for path in (lab.backups / "postgres" / "base").iterdir()),
        containers=tuple(name for one in made for name in one["Names"]),
        states={name: str(attrs["State"]["Status"]) for name, attrs in found.items()},
        policies={name: str(attrs["HostConfig"]["RestartPolicy"]["Name"]) for name, attrs in found.items()},
        slots=slots,
        sessions=sessions,
        leases=frozenset({run} & place.store.leased()),
    )


def look(place: Place, run: str, harm: Damage, back: bool, before: Leavings, began: datetime, known: set[str]) -> Seen:
    """All that the judge wants. `back`: a recovery brings back what was before the damage."""
    settle(place, run)
    told = place.store.entries(run)
    brought = outcome_of(told) == "recovered" and back
    expected = harm.before if brought else harm.after
    until = datetime.fromisoformat(harm.moment) if brought else harm.committed
    found, compared = _data(place, until, expected)
    others = [
        one
        for one in place.store.runs()
        if one not in known and one != run and place.store.run(one).procedure == PROCEDURE.name
    ]
    broke = [f"the watch broke: {place.watch.broke}"] if place.watch.broke else []
    return Seen(
        run=run,
        entries=told,
        postgres=place.postgres,
        writers=place.writers,
        happened=place.watch.since(began),
        messages=bots_own(place.room, began),
        expected=expected,
        found=found,
        truth=compared,
        before=before,
        after=leavings(place, run),
        others=others,
        chain=_verified(place),
        broke=broke,
    )


def settle(place: Place, run: str) -> None:
    """Until the thread is drawn and the containers of the run are gone, or that takes too long."""
    store = place.store
    _within(_SETTLES_WITHIN, lambda: notes.cursor(store, "slack", run) >= store.run(run).last)
    client = connect()
    _within(30, lambda: not client.api.containers(all=True, filters={"label": f"mayday.run={run}"}))
    _within(30, lambda: run not in store.leased())
    time.sleep(1.0)


def _data(place: Place, until: datetime, expected: Picture) -> tuple[Picture, truth.Comparison | None]:
    """The live database, once it is as it has to be or does not become so."""
    found: list[Picture] = []
    compared: list[truth.Comparison] = []

    def right() -> bool:
        try:
            found.append(picture_now(place.lab, until))
            now = clock()
            compared.append(truth.compare(place.lab, now, until=now))
        except (RecoveryError, OSError):
            return False
        seen = compared[-1]
        return found[-1] == expected and seen.nothing_lost and len(seen.unacknowledged) < 5

    _within(40, right)
    return (found[-1] if found else {}), (compared[-1] if compared else None)


def bots_own(room: PracticeSlack, began: datetime) -> list[dict[str, Any]]:
    """The bot's messages since then that all see."""
    since = f"{began.timestamp():.6f}"
    return [
        m
        for m in room.state("oncall")["messages"]
        if m["channel"] == CHANNEL and m["bot_id"] and not m["only_for"] and m["ts"] >= since
    ]


def _verified(place: Place) -> str:
    """What `mayday journal verify` has against the journals; empty where all is well."""
    argv = [sys.executable, "-P", "-m", "mayday", "journal", "verify", "--config", str(place.settings)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-500:]


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < end:
        time.sleep(0.5)
    return held
