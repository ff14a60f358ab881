"""A bad link between the primary and its standby: a relay that the standby takes for its primary.

`tc netem` would be the usual way; it wants root and a kernel with sch_netem, which small virtual machines often lack.
This needs Docker alone, and changes nothing outside of the lab's own containers.
"""

from __future__ import annotations

import time
from pathlib import Path

import docker
from docker.models.containers import Container

from actions.engine.errors import RecoveryError, Refused
from lab.containers import find
from lab.database import connected
from lab.home import SERVICE_LABEL, STANDBY, Lab
from lab.slow_relay import PORT

NAME = "slow-link"
LATENCY_SECONDS = 5.0
TRICKLE_BYTES = 1024
"""A second; the town writes several times as much."""

_SOURCE = Path(__file__).with_name("slow_relay.py")
_MARK = "# mayday lab: slow link"
_STREAMS_WITHIN_SECONDS = 30.0
# /etc/hosts is a mount, so it is written anew and never replaced.
_FORGET = f'kept=$(grep -vF "{_MARK}" /etc/hosts); printf "%s\\n" "$kept" > /etc/hosts'
_HANG_UP = "select pg_terminate_backend(pid) from pg_stat_replication where application_name = %s"
_STREAMS_BY = """
select 1 from pg_stat_replication
where application_name = %s and state = 'streaming' and host(client_addr) = %s
"""


def worsen(client: docker.DockerClient, lab: Lab, seconds: float = 0.0, rate: int = 0) -> None:
    """Have the standby receive everything so many seconds later, or at most so many bytes a second.

    Returns once it streams by this link.
    """
    standby = _streaming_standby(client, lab)
    mend(client, lab)
    address = _start_relay(client, lab, seconds, rate)
    _in(standby, f'echo "{address} {lab.container("postgres")} {_MARK}" >> /etc/hosts')
    name = lab.container(STANDBY)
    with connected(lab) as db:
        db.execute(_HANG_UP, (name,))
        deadline = time.monotonic() + _STREAMS_WITHIN_SECONDS
        while db.execute(_STREAMS_BY, (name, address)).fetchone() is None:
            if time.monotonic() > deadline:
                raise RecoveryError(
                    "The standby does not stream over the slow link.",
                    detail=f"Waited {_STREAMS_WITHIN_SECONDS:.0f} s for a walreceiver from {address}.",
                    hint=f"Take it back: mayday lab heal. See docker logs {name}.",
                )
            time.sleep(0.1)


def mend(client: docker.DockerClient, lab: Lab) -> bool:
    """Take the relay away; whether there was one. The standby connects anew within its retry interval of 5 s."""
    standby = find(client, lab.container(STANDBY))
    if standby is not None and standby.status == "running":
        _in(standby, _FORGET)
    relay = find(client, lab.container(NAME))
    if relay is not None:
        relay.remove(force=True)
    return relay is not None


def _streaming_standby(client: docker.DockerClient, lab: Lab) -> Container:
    standby = find(client, lab.container(STANDBY))
    with connected(lab) as db:
        asked = "select 1 from pg_stat_replication where application_name = %s and state = 'streaming'"
        streams = db.execute(asked, (lab.container(STANDBY),)).fetchone() is not None
    if standby is None or not streams:
        raise Refused(
            f"{lab.container(STANDBY)} does not stream, so there is no link to slow down.",
            detail=f"pg_stat_replication of {lab.container('postgres')} does not show it.",
            hint="See how they stand: mayday lab replication",
        )
    return standby


def _start_relay(client: docker.DockerClient, lab: Lab, seconds: float, rate: int) -> str:
    functions = find(client, lab.container("functions"))
    if functions is None:
        raise RecoveryError("The practice company's functions are not there.", hint="Start it with: mayday lab up")
    relay = client.containers.run(
        functions.attrs["Config"]["Image"],
        ["-c", _SOURCE.read_text(), lab.container("postgres"), str(PORT), str(seconds), str(rate)],
        entrypoint="python3",
        name=lab.container(NAME),
        labels=lab.labels | {SERVICE_LABEL: NAME},
        network=lab.network,
        detach=True,
    )
    relay.reload()
    return str(relay.attrs["NetworkSettings"]["Networks"][lab.network]["IPAddress"])


def _in(container: Container, script: str) -> None:
    done = container.exec_run(["sh", "-c", script], user="root")
    if done.exit_code != 0:
        raise RecoveryError(
            f"/etc/hosts in {container.name} could not be written.",
            detail=done.output.decode(errors="replace"),
            hint="Take the slow link back: mayday lab heal",
        )
