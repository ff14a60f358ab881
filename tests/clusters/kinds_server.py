"""Oddities of how a server is started: where its settings stand, how it is reached, who it runs as."""

from __future__ import annotations

import os
import shlex

from tests.clusters.case import Case
from tests.clusters.kind import Kind


def _place(place: str) -> Kind:
    def launch(case: Case) -> None:
        case.launch.place = place

    return Kind(f"settings in {place}", "settings", 1.0, launch)


def _wrapped(case: Case) -> None:
    case.launch.wrapper += ["echo preparing", "umask 0027"]


def _exported(case: Case) -> None:
    """PGDATA is set by the command itself; Docker does not know of it."""
    case.launch.pgdata += "/inner"
    case.launch.host = f"{case.launch.host or 'data/postgres'}/inner"
    case.launch.wrapper.append(f"export PGDATA={case.launch.pgdata}")


def _port(case: Case) -> None:
    case.launch.arguments += ["-p", "5433"]
    case.cluster.psql = ("-p", "5433")


def _port_setting(case: Case) -> None:
    case.launch.settings["port"] = "6432"
    case.cluster.psql = ("-p", "6432")


def _port_env(case: Case) -> None:
    case.launch.env["PGPORT"] = "5434"


def _socket(case: Case) -> None:
    # The entrypoint fills a new cluster over the usual socket, so it is moved once that is done.
    if case.launch.place in ("command line", "a file elsewhere"):
        case.launch.place = "postgresql.conf"
    case.launch.settings["unix_socket_directories"] = "/tmp"
    case.cluster.psql = ("-h", "/tmp")


def _zone(case: Case) -> None:
    case.launch.env |= {"TZ": "Europe/Berlin", "PGTZ": "Asia/Kolkata"}


def _sizes(size: int) -> Kind:
    def launch(case: Case) -> None:
        case.launch.initdb.append(f"--wal-segsize={size}")
        # initdb writes a fitting one to the file that it makes, which is not always the one that is read.
        case.launch.settings["min_wal_size"] = f"{size * 5}MB"

    return Kind(f"segments of {size} MB", "segments", 0.5, launch)


def _checksums(case: Case) -> None:
    case.launch.initdb.append("--data-checksums")


def _icu(case: Case) -> None:
    case.launch.initdb += ["--locale-provider=icu", "--icu-locale=de-DE"]


def _plain_locale(case: Case) -> None:
    case.launch.initdb += ["--locale=C", "--encoding=UTF8"]


def _user(case: Case) -> None:
    uid = case.cluster.uid = 1000
    passwd = case.cluster.folder / "passwd"
    passwd.write_text(f"root:x:0:0:root:/root:/bin/bash\npguser:x:{uid}:{uid}::/tmp:/bin/sh\n")
    os.chmod(passwd, 0o644)
    case.launch.run += [
        "--user",
        f"{uid}:{uid}",
        "-v",
        f"{passwd}:/etc/passwd:ro",
        "--tmpfs",
        f"/var/run/postgresql:uid={uid},gid={uid},mode=0775",
    ]


def _read_only(case: Case) -> None:
    case.launch.run += ["--read-only", "--tmpfs", "/tmp"]
    if not case.has("another user"):
        case.launch.run += ["--tmpfs", "/var/run/postgresql:uid=999,gid=999,mode=3775"]


def _memory(case: Case) -> None:
    case.launch.run += ["--memory", "400m", "--shm-size", "64m"]


def _other_superuser(case: Case) -> None:
    case.launch.env["POSTGRES_USER"] = case.cluster.site.user


def _role_settings(case: Case) -> None:
    """What a role's own settings do to the answers that Mayday reads."""
    for setting in (
        "datestyle = 'German'",
        "timezone = 'Asia/Kathmandu'",
        "statement_timeout = '20s'",
        "bytea_output = 'escape'",
        "intervalstyle = 'sql_standard'",
        "extra_float_digits = 0",
    ):
        case.sql(f"alter role current_user set {setting}", "postgres")


def _no_replication(case: Case) -> None:
    """A pg_hba.conf without a line for replication, changed after the base backup."""
    case.inside("sed -i '/replication/d' \"$1/pg_hba.conf\"", case.launch.pgdata)
    case.sql("select pg_reload_conf()", "postgres")


def _config_changes(case: Case) -> None:
    lines = ["log_min_duration_statement = 250", "# a note of ours"]
    script = 'for line do printf "%s\\n" "$line" >>"$PGCONF"; done'
    case.inside(f"PGCONF={shlex.quote(case.launch.pgdata + '/postgresql.conf')}; {script}", *lines)
    hba = shlex.quote(case.launch.pgdata + "/pg_hba.conf")
    case.inside(f"echo 'hostssl appdb all 10.0.0.0/8 scram-sha-256' >>{hba}")
    case.sql("alter system set work_mem = '23MB'", "postgres")
    case.sql("select pg_reload_conf()", "postgres")


SERVER = (
    _place("command line"),
    _place("postgresql.conf"),
    _place("ALTER SYSTEM"),
    _place("a file elsewhere"),
    Kind("plain start", "start", 4),
    Kind("wrapped in sh", "start", 1, _wrapped),
    Kind(
        "PGDATA set by the wrapper",
        "start",
        0.7,
        _exported,
        against=(
            "PGDATA elsewhere",
            "PGDATA below the mount",
            "PGDATA below a named volume",
            "PGDATA below a volume with driver_opts",
        ),
    ),
    Kind("default way", "way", 5),
    Kind("-p 5433", "way", 1, _port),
    Kind("port in the settings", "way", 1, _port_setting),
    Kind("PGPORT", "way", 0.7, _port_env),
    Kind("socket elsewhere", "way", 1, _socket),
    Kind("segments of 16 MB", "segments", 1.5),
    _sizes(1),
    _sizes(64),
    Kind("default locale", "locale", 3),
    Kind("icu locale", "locale", 1, _icu),
    Kind("C locale", "locale", 1, _plain_locale),
    Kind("checksums", share=0.5, launch=_checksums),
    Kind("time zones", share=0.3, launch=_zone),
    Kind("another user", share=0.12, launch=_user, against=("link for pg_wal", "a named volume")),
    Kind("read-only root", share=0.12, launch=_read_only),
    Kind("little memory", share=0.12, launch=_memory),
    Kind("settings of the role", share=0.15, filled=_role_settings),
    Kind("no replication line", share=0.08, based=_no_replication),
    Kind("configuration changed after the base", share=0.25, based=_config_changes),
)
