"""Oddities of the moment in which the recovery is asked for: the server's state, who goes on writing."""

from __future__ import annotations

from tests.clusters.case import Case
from tests.clusters.kind import SOON, Kind


def _stopped(case: Case) -> None:
    case.cluster.docker("stop", "-t", "30", case.cluster.name)
    case.down = True
    case.did("stopped the server")


def _killed(case: Case) -> None:
    case.cluster.docker("kill", case.cluster.name)
    case.down = True
    case.did("killed the server")


def _paused(case: Case) -> None:
    case.cluster.docker("pause", case.cluster.name)
    case.repairs.append(lambda: case.cluster.docker("unpause", case.cluster.name))
    case.down = True
    case.did("froze the server")


def _bad_setting(case: Case) -> None:
    """Somebody sets what no server starts with, and restarts it: a crash loop."""
    case.sql("alter system set shared_preload_libraries = 'nonsuch'", "postgres")
    auto = case.host_pgdata() / "postgresql.auto.conf"
    whole = auto.read_text().replace("nonsuch", "")
    case.repairs.append(lambda: auto.write_text(whole))
    case.cluster.docker("restart", "-t", "30", case.cluster.name)
    case.down = True
    case.did("set what no server starts with, and restarted it")


def _control(case: Case) -> None:
    """The control file of a killed server is torn."""
    _killed(case)
    home = case.host_pgdata()
    control = home / "global" / "pg_control"
    whole = control.read_bytes()
    case.repairs.append(lambda: control.write_bytes(whole))
    control.write_bytes(control.read_bytes()[:100] + b"\x00" * 412 + b"\xff" * (8192 - 512))
    case.did("damaged the control file")


STATE = (
    Kind("server up", "state", 6),
    Kind("server stopped", "state", 1, spoiled=_stopped),
    Kind("server killed", "state", 1, spoiled=_killed),
    Kind("server frozen", "state", 0.4, spoiled=_paused),
    Kind("a setting with which it does not start", "state", 0.4, spoiled=_bad_setting, off=SOON),
    Kind("control file damaged", "state", 0.7, spoiled=_control),
    Kind("nobody writes", "writers", 1.5),
    Kind("one writer", "writers", 1),
    Kind("several writers", "writers", 2),
    Kind(
        "writers go on until the cut-over",
        share=0.25,
        against=(
            "server stopped",
            "server killed",
            "control file damaged",
            "server frozen",
            "a setting with which it does not start",
            "nobody writes",
        ),
    ),
)
