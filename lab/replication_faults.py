"""What happens to a primary and its standby, to practise on: each is noted in the truth with its moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from actions.engine.errors import Refused
from lab import bad_link
from lab.containers import find
from lab.database import connected
from lab.engine import connect
from lab.home import POSTGRES_MOUNT, STANDBY, Lab
from lab.notes import Fault, append
from lab.passing import in_passing
from lab.replication import primary_service, replication

CONSUMER = "forgotten_consumer"
"""The slot that nobody reads."""


@dataclass(frozen=True)
class Happened:
    """What was done to which container: not before `began`, and there at `moment`; in UTC with microseconds."""

    fault: str
    container: str
    began: str
    moment: str
    done: str
    undo: str


def happen(lab: Lab, fault: str) -> dict[str, Any]:
    """Let one of `FAULTS` happen, and note it.

    Raises:
        Refused: the company has no standby, or is not in the state that this fault is about.
    """
    if not lab.standby:
        raise Refused(
            f"{fault} needs a practice company with a standby, and this one has none.",
            detail=f"Nothing was done. Its services: {', '.join(lab.services)}.",
            hint="Start it again with one: mayday lab up --standby",
        )
    client, began = connect(), _now()
    container, done, undo = FAULTS[fault](client, lab)
    happened = Happened(fault, container, began, _now(), done, undo)
    append(lab.truth_file, Fault(kind="fault", what=fault, container=container, moment=happened.moment, done=done))
    return asdict(happened)


_Told = tuple[str, str, str]
_HEAL = "mayday lab heal"


def _kill_primary(client: docker.DockerClient, lab: Lab) -> _Told:
    """As `docker kill` does it. Docker restarts no container that was killed by its own API, whatever its policy."""
    primary = _running_primary(client, lab)
    primary.kill()
    primary.wait(timeout=30)
    return str(primary.name), "killed with SIGKILL; its restart policy was left as it is", _HEAL


def _hang_primary(client: docker.DockerClient, lab: Lab) -> _Told:
    primary = _running_primary(client, lab)
    primary.pause()
    return str(primary.name), "paused: its processes are frozen, its connections stay open", _HEAL


def _lag(client: docker.DockerClient, lab: Lab) -> _Told:
    bad_link.worsen(client, lab, rate=bad_link.TRICKLE_BYTES)
    done = f"receives at most {bad_link.TRICKLE_BYTES} B of WAL a second, so it lags in what it has received"
    return lab.container(STANDBY), done, _HEAL


def _slow_link(client: docker.DockerClient, lab: Lab) -> _Told:
    bad_link.worsen(client, lab, seconds=bad_link.LATENCY_SECONDS)
    return lab.container(STANDBY), f"has {bad_link.LATENCY_SECONDS:g} s of latency to its primary, each way", _HEAL


def _forget_consumer(client: docker.DockerClient, lab: Lab) -> _Told:
    """A physical slot: a logical one would want wal_level = logical. Both hold WAL back in the same way."""
    service = primary_service(lab)
    with connected(lab, service) as db:
        if db.execute("select 1 from pg_replication_slots where slot_name = %s", (CONSUMER,)).fetchone():
            raise Refused(f"The slot {CONSUMER} is there already.", hint=f"Take it back first: {_HEAL}")
        db.execute("select pg_create_physical_replication_slot(%s, true)", (CONSUMER,))
    return lab.container(service), f"has a replication slot {CONSUMER} that nobody reads and that holds WAL back", _HEAL


def _return_old_primary(client: docker.DockerClient, lab: Lab) -> _Told:
    """As somebody does it who knows nothing of the failover: into the network, no standby.signal, started."""
    old = find(client, lab.container("postgres"))
    if old is None or old.status in ("running", "paused", "restarting") or primary_service(lab) != STANDBY:
        raise Refused(
            "There is no old primary that could return: nobody has failed over.",
            detail=f"{lab.container('postgres')} is {old.status if old else 'absent'}.",
            hint="Fail over first: mayday lab break primary-killed, then /recover postgres failover",
        )
    if lab.network not in old.attrs["NetworkSettings"]["Networks"]:
        client.networks.get(lab.network).connect(old, aliases=[lab.container("postgres")])
    folder = lab.data("postgres") if lab.layout == "bind" else Path(lab.postgres_volume)
    signal = f"{lab.pgdata}/standby.signal"
    in_passing(client, old.attrs["Config"]["Image"], ["rm", "-f", signal], folder, POSTGRES_MOUNT)
    old.start()
    return str(old.name), f"attached to {lab.network}, standby.signal removed, started", f"docker stop {old.name}"


FAULTS: dict[str, Callable[[docker.DockerClient, Lab], _Told]] = {
    "primary-killed": _kill_primary,
    "primary-hung": _hang_primary,
    "replication-lag": _lag,
    "old-primary-returns": _return_old_primary,
    "slow-link": _slow_link,
    "slot-consumer": _forget_consumer,
}
"""Each does it, and says to which container, what, and what undoes it."""


def heal(lab: Lab) -> dict[str, Any]:
    """Take back what can be taken back: a bad link, the slot, and a primary that nobody has replaced meanwhile."""
    client = connect()
    healed = ["the link between primary and standby"] if bad_link.mend(client, lab) else []
    old = find(client, lab.container("postgres"))
    # One that Mayday has fenced is in no network: starting that one is nobody's cure.
    if old is not None and not replication(lab)["takes_writes"] and old.attrs["NetworkSettings"]["Networks"]:
        healed += _wake(old)
    service = primary_service(lab)
    if lab.container(service) in replication(lab)["takes_writes"]:
        with connected(lab, service) as db:
            asked = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s"
            healed += [f"the slot {CONSUMER}"] * len(db.execute(asked, (CONSUMER,)).fetchall())
    return {"healed": healed, "moment": _now()}


def _wake(old: Container) -> list[str]:
    if old.status == "paused":
        old.unpause()
        return [f"{old.name}, which was paused"]
    if old.status == "exited":
        old.start()
        return [f"{old.name}, which was stopped"]
    return []


def _running_primary(client: docker.DockerClient, lab: Lab) -> Container:
    name = lab.container(primary_service(lab))
    primary = find(client, name)
    if primary is None or primary.status != "running":
        raise Refused(
            f"{name} does not run, so nothing was done to it.",
            detail=f"It is {primary.status if primary else 'absent'}.",
            hint=f"See how the servers stand: mayday lab replication. A primary that was stopped: {_HEAL}",
        )
    return primary


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
