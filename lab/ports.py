"""Free ports on 127.0.0.1, the same ones again at the next start where they are still free."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Iterator, Mapping

from actions.engine.errors import RecoveryError
from lab.home import Lab

# Below the range from which the system takes ports for outgoing connections: a container that
# restarts must find its port free.
_RANGE = range(20_000, 30_000)


def choose_ports(names: Iterable[str], before: Mapping[str, int]) -> dict[str, int]:
    """A port for each name: that of before where it is still free, else one of a row that begins anywhere.

    Two companies that start at once see the same ports free. Two rows seldom meet; ports strewn over the range do.
    """
    chosen: dict[str, int] = {}
    fresh = _free_ones()
    for name in names:
        known = before.get(name, 0)
        chosen[name] = known if known and is_free(known) else next(p for p in fresh if p not in chosen.values())
    return chosen


def kept_port(lab: Lab, name: str) -> int:
    """The port of a part of the company, the same at every start; settings and addresses name it."""
    known = lab.read_state().get(name) or choose_ports([name], {})[name]
    lab.write_state(**{name: known})
    return int(known)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_ones() -> Iterator[int]:
    begin = random.randrange(len(_RANGE))
    yield from filter(is_free, (*_RANGE[begin:], *_RANGE[:begin]))
    raise RecoveryError(
        "No free port was found on 127.0.0.1.",
        detail=f"All ports from {_RANGE.start} to {_RANGE.stop - 1} were tried.",
        hint="Look at what listens there with: ss -ltn",
    )
