"""From what was drawn to a server at work: started, configured, filled, with a base backup."""

from __future__ import annotations

import os

from tests.clusters.case import Case, literal
from tests.clusters.kinds_data import FIRST_TABLES

_ELSEWHERE = "/etc/postgresql/postgresql.conf"


def set_up(case: Case) -> None:
    """All that comes before people work with it."""
    for kind in case.kinds:
        kind.launch(case)
    case.cluster.make_folders()
    _start(case)
    case.did("started the server")
    case.sql(FIRST_TABLES)
    for kind in case.kinds:
        kind.filled(case)
    case.did("filled the databases")
    for kind in case.kinds:
        kind.based(case)


def _start(case: Case) -> None:
    launch, cluster = case.launch, case.cluster
    env = {**launch.env, "POSTGRES_INITDB_ARGS": " ".join(launch.initdb)}
    if launch.place == "a file elsewhere":
        _write_elsewhere(case)
    later = launch.place in ("postgresql.conf", "ALTER SYSTEM")
    way = cluster.psql
    if later and launch.arguments[:1] != ["-p"]:
        cluster.psql = ()
    cluster.start(launch.command(), run=launch.run, data=launch.mount, env=env)
    if later:
        _configure(case)
        cluster.psql = way
        case.restart()


def _lines(case: Case) -> list[str]:
    return [f"{name} = {literal(value)}" for name, value in case.launch.settings.items()]


def _write_elsewhere(case: Case) -> None:
    folder = case.cluster.folder / "etc"
    folder.mkdir(mode=0o755)
    (folder / "postgresql.conf").write_text("\n".join(["listen_addresses = '*'", *_lines(case)]) + "\n")
    os.chmod(folder / "postgresql.conf", 0o644)
    case.launch.run += ["-v", f"{folder}:/etc/postgresql:ro"]
    case.launch.arguments += ["-c", f"config_file={_ELSEWHERE}"]


def _configure(case: Case) -> None:
    if case.launch.place == "postgresql.conf":
        script = 'conf=$1; shift; printf "%s\\n" "$@" >>"$conf"'
        case.inside(script, f"{case.launch.pgdata}/postgresql.conf", *_lines(case))
        return
    for name, value in case.launch.settings.items():
        case.sql(f"alter system set {name} = {literal(value)}", "postgres")
