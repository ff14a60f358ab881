"""What the live server and its files say before a recovery: is it the primary, how is it reached, what does it load."""

from __future__ import annotations

import pytest

from actions.engine.journal import Kind
from actions.engine.procedure import Outcome
from actions.postgres.data_directory import DataDirectory, primary_of
from actions.postgres.live_server import Live, Standby, libraries
from actions.postgres.postmaster import Endpoint, read_opts_file, read_pid_file
from actions.postgres.preload import as_settings, preload
from actions.tools.sql import LoginRefused, NotServing, StartingUp
from tests.support.worlds.planned import Company
from workers.postgres.sql_said import no_connection

PID_FILE = "1\n/var/lib/postgresql/data\n1764430000\n5433\n/var/run/postgresql\n*\n  1234   5\nready   \n"
STANDBY_CONTROL = "Database cluster state:               {}\n"


def asked(here: Company, when: str = "08:30:30") -> str:
    """The plan, or why there is none."""
    here.ask("postgres pitr", when)
    here.work()
    last = [e for e in here.store.entries("r1") if e.kind in (Kind.ASKED, Kind.FINISHED)][-1].data
    return " ".join(str(last.get(part) or "") for part in ("error", "detail", "hint", "sheets"))


def test_a_standby_that_runs_is_refused_with_the_name_of_its_primary(here: Company) -> None:
    here.world.signals, here.world.recovering, here.world.upstream = ("standby.signal",), True, "db-1:5432"
    told = asked(here)
    assert "standby, not the primary" in told
    assert "Name the primary (db-1:5432) in `site.postgres`" in told
    assert here.world.changes == ()


def test_a_standby_whose_container_is_stopped_is_refused_as_well(here: Company) -> None:
    here.world.signals = ("standby.signal",)
    here.world.set_container("nself-postgres", state="exited")
    assert "its files are those of a standby" in asked(here)


def test_a_server_that_somebody_recovers_by_hand_is_refused(here: Company) -> None:
    here.world.signals, here.world.recovering = ("recovery.signal",), True
    assert "somebody restores it by hand" in asked(here)


def test_a_base_backup_is_not_taken_of_a_standby(here: Company) -> None:
    here.world.signals, here.world.recovering = ("standby.signal",), True
    here.ask("postgres base backup", "")
    here.work()
    assert here.run().finished is Outcome.REFUSED
    assert here.world.changes == ()


def test_the_plan_of_a_primary_names_who_streams_from_it(here: Company) -> None:
    here.world.standbys = ("replica-a", "replica-b")
    told = asked(here)
    assert "replica-a, replica-b" in told
    assert "2 standbys stream from this server" in told


def test_a_server_that_is_down_is_planned_for_and_the_plan_says_that_it_did_not_answer(here: Company) -> None:
    here.world.dead = True
    here.world.set_container("nself-postgres", state="exited")
    told = asked(here)
    assert "The live server did not answer (its container is exited)" in told


def test_a_server_that_falls_silent_while_people_decide_voids_nothing(here: Company) -> None:
    asked(here)
    here.world.dead = True
    here.world.set_container("nself-postgres", state="restarting")
    here.answer("Pause writers and restore")
    here.work()
    assert not [e for e in here.store.entries("r1") if e.kind is Kind.VOIDED]


@pytest.mark.parametrize(
    ("state", "signals", "standby"),
    [
        ("in production", (), False),
        ("in crash recovery", (), False),
        ("shut down", (), False),
        ("in archive recovery", (), True),
        ("shut down in recovery", (), True),
        ("shut down", ("standby.signal",), True),
        ("in archive recovery", ("recovery.signal",), False),
        ("in archive recovery", ("standby.signal",), True),
    ],
)
def test_files_tell_a_standby(state: str, signals: tuple[str, ...], standby: bool) -> None:
    assert DataDirectory(STANDBY_CONTROL.format(state), signals=signals).standby is standby


@pytest.mark.parametrize(
    ("conninfo", "name"),
    [
        ("user=r password='a b' host=db-1 port=5433 sslmode=prefer", "db-1:5433"),
        ("host='my db' user=x", "my db"),
        ("hostaddr=10.0.0.7", "10.0.0.7"),
        ("postgresql://r:geheim@db-2:5432/x?sslmode=off", "db-2:5432"),
        ("user=r dbname=replication", ""),
        ("", ""),
        ("password='host=evil' host=db", "db"),
    ],
)
def test_of_a_connection_string_only_the_primarys_place_is_taken(conninfo: str, name: str) -> None:
    assert primary_of(conninfo) == name


def test_the_last_primary_of_the_file_counts() -> None:
    text = "primary_conninfo = 'host=old'\nprimary_conninfo = 'user=r passfile=''/x y/p'' host=new port=5432'\n"
    assert DataDirectory("", auto_conf=text).follows() == "new:5432"


@pytest.mark.parametrize(
    ("sockets", "address", "hosts"),
    [
        ("/var/run/postgresql", "*", ["/var/run/postgresql", "127.0.0.1"]),
        ("", "0.0.0.0", ["127.0.0.1"]),
        ("/tmp/s", "", ["/tmp/s"]),
        ("", "::", ["::1"]),
        ("", "10.0.0.7", ["10.0.0.7"]),
        (".", "", ["/data/."]),
        ("@pg", "localhost", ["@pg", "localhost"]),
    ],
)
def test_the_pid_file_tells_the_ways_in(sockets: str, address: str, hosts: list[str]) -> None:
    text = PID_FILE.replace("/var/run/postgresql\n*", f"{sockets}\n{address}")
    found = read_pid_file(text)
    assert found is not None
    assert found.serves
    assert found.endpoints("/data") == tuple(Endpoint(host, 5433) for host in hosts)


def test_a_pid_file_that_is_not_whole_tells_nothing_and_one_of_a_start_does_not_serve() -> None:
    assert read_pid_file("") is None
    assert read_pid_file("1\n/data\n") is None
    assert read_pid_file(PID_FILE.replace("1\n", "one\n", 1)) is None
    assert read_pid_file(PID_FILE.replace("5433", "")) is None
    starting = read_pid_file(PID_FILE.replace("ready   ", "starting"))
    assert starting is not None
    assert not starting.serves


def test_the_last_command_line_is_read_with_its_blanks() -> None:
    text = '/usr/lib/postgresql/15/bin/postgres "-c" "archive_command=cp %p \'/a b\'" "-p" "5433"\n'
    assert read_opts_file(text) == (
        "/usr/lib/postgresql/15/bin/postgres",
        "-c",
        "archive_command=cp %p '/a b'",
        "-p",
        "5433",
    )
    assert read_opts_file("/usr/bin/postgres\n") == ("/usr/bin/postgres",)
    assert read_opts_file("") == ()


def test_a_rejected_connection_is_told_from_a_server_that_starts_and_from_none() -> None:
    failed = 'psql: error: connection to server on socket "/s" failed: '
    assert isinstance(no_connection("c", "0", failed + "FATAL:  no pg_hba.conf entry"), LoginRefused)
    assert isinstance(no_connection("c", "1", failed + "FATAL:  das Datenbanksystem startet"), StartingUp)
    late = "FATAL:  the database system is not yet accepting connections"  # It does by the time pg_isready asks.
    assert isinstance(no_connection("c", "0", failed + late), StartingUp)
    assert type(no_connection("c", "2", failed + "No such file or directory")) is NotServing
    assert type(no_connection("c", "0", "psql: error: connection to server was lost")) is NotServing


def test_libraries_that_may_start_workers_are_left_out_of_the_clone() -> None:
    names = libraries("pg_stat_statements, $libdir/pg_cron,'timescaledb.so', \"Mine\"".replace("'", ""))
    assert names == ("pg_stat_statements", "pg_cron", "timescaledb", "Mine")
    found = preload(names, (("cron.host", "x"), ("timescaledb.license", "apache")))
    assert (found.loaded, found.left) == (("pg_stat_statements", "timescaledb"), ("pg_cron", "Mine"))
    given = dict(as_settings(found))
    assert given["shared_preload_libraries"] == "pg_stat_statements,timescaledb"
    assert (given["timescaledb.license"], given["timescaledb.max_background_workers"]) == ("apache", "0")
    assert "cron.host" not in given
    assert preload(names, (), ("Mine",)).left == ("pg_cron",)


def test_without_a_library_none_that_alter_system_named_is_loaded_either() -> None:
    assert dict(as_settings(preload((), ())))["shared_preload_libraries"] == ""


def test_a_live_server_says_who_it_is_in_one_line() -> None:
    assert Live().says() == "it is the primary"
    assert Live(standbys=(Standby("a"),)).says() == "it is the primary, 1 standby follows it"
    assert Live(silent="no\nmore").says() == "it did not answer: no"
