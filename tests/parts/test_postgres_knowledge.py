"""The knowledge of ``actions/postgres`` held against a real server: its WAL, its catalogue, its recovery."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from actions.clock.when import Target
from actions.postgres.compare_sql import (
    DIGESTS_IF_FEW,
    TABLES,
    ComparedTable,
    buckets_sql,
    digests_sql,
    pairs_sql,
    these_buckets,
)
from actions.postgres.controldata import parse_controldata
from actions.postgres.integrity import FULL, CheckResult, Verdict, judge
from actions.postgres.inventory import parse_contents
from actions.postgres.inventory_sql import inventory_sql, rows_sql
from actions.postgres.labels import parse_label
from actions.postgres.lost_rows import losses, parse_losses
from actions.postgres.lost_rows_awk import losses_argv
from actions.postgres.lsn import format_lsn, parse_lsn
from actions.postgres.manifest import parse_manifest
from actions.postgres.postmaster import CLONE
from actions.postgres.recovery_conf import CloneLimits, as_flags, clone_settings, strip_auto_conf
from actions.postgres.row_comparison import Rows, difference, parse_buckets, parse_tables, parts
from actions.postgres.stops import Stop, find_stop, is_proof
from actions.postgres.waldump import transaction_ends

BIN = next(
    (path for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True) if (path / "initdb").exists()),
    None,
)
pytestmark = [pytest.mark.parts, pytest.mark.skipif(BIN is None, reason="no PostgreSQL binaries on this machine")]
# The server refuses to run as root.
AS_SERVER: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}

SCHEMA = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (id bigserial PRIMARY KEY);
CREATE TABLE nchat_users (id bigserial PRIMARY KEY, name text NOT NULL);
CREATE TABLE nchat_channels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE nchat_messages (id bigserial PRIMARY KEY, user_id bigint REFERENCES nchat_users,
    channel_id bigint REFERENCES nchat_channels,
                             body text, created_at timestamptz DEFAULT now());
CREATE INDEX ON nchat_messages (user_id); CREATE INDEX ON nchat_messages (channel_id);
CREATE TABLE pairs (a int, b text, PRIMARY KEY (a, b));
CREATE TABLE pair_notes (a int, b text, FOREIGN KEY (a, b) REFERENCES pairs); CREATE INDEX ON pair_notes (a, b);
INSERT INTO nchat_users (name) SELECT 'u' || g FROM generate_series(1, 5) g;
INSERT INTO auth.users SELECT FROM generate_series(1, 5);
INSERT INTO nchat_channels SELECT FROM generate_series(1, 2);
INSERT INTO nchat_messages (user_id, channel_id, body)
SELECT 1 + g % 5, 1 + g % 2, 'm' || g FROM generate_series(1, 100) g;
INSERT INTO pairs VALUES (1, 'x');
INSERT INTO pair_notes VALUES (1, 'x'), (2, NULL), (NULL, NULL);
"""


def run(*command: str | Path, **options: Any) -> str:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
        **AS_SERVER,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Server:
    """A server of its own in a temporary directory, reached through its socket."""

    data: Path

    def start(self, *flags: str) -> None:
        command = [BIN / "postgres", "-D", self.data, "-k", self.data.parent, *flags] if BIN else []
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            subprocess.Popen(
                list(map(str, command)),
                stdout=log,
                stderr=log,
                cwd=self.data.parent,
                env={"LC_ALL": "C", "TZ": "UTC"},
                **AS_SERVER,
            )

    def stop(self) -> None:
        run(tool("pg_ctl"), "-D", self.data, "-m", "immediate", "-w", "stop")

    def ask(self, sql: str, database: str = "nself_db", read_only: bool = False) -> str:
        first = ("-c", "SET default_transaction_read_only = on") if read_only else ()
        return run(
            tool("psql"),
            "-h",
            self.data.parent,
            "-U",
            "postgres",
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            database,
            *first,
            "-c",
            sql,
        ).strip()

    def json(self, sql: str, database: str = "nself_db") -> Any:
        return json.loads(self.ask(sql, database, read_only=True))

    def ready(self, sql: str, database: str = "postgres") -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if self.ask(sql, database) == "t":
                    return
            except AssertionError:
                pass
            time.sleep(0.1)
        raise AssertionError((self.data.parent / f"{self.data.name}.log").read_text()[-2000:])

    def verdict(self, database: str = "nself_db") -> Verdict:
        return judge(CheckResult(check.name, self.json(check.sql, database)) for check in FULL)


def tool(name: str) -> Path:
    assert BIN is not None
    return BIN / name


@pytest.fixture
def server() -> Iterator[Server]:
    place = Path(tempfile.mkdtemp(prefix="mayday-", dir="/tmp"))
    if AS_SERVER:
        shutil.chown(place, "postgres", "postgres")
    found = Server(place / "live")
    run(tool("initdb"), "-D", found.data, "-U", "postgres", "-A", "trust", "-k", "--no-sync")
    found.start(
        "-c",
        "listen_addresses=",
        "-c",
        "wal_level=replica",
        "-c",
        "max_prepared_transactions=5",
        "-c",
        "autovacuum=off",
    )
    found.ready("SELECT true")
    found.ask("CREATE DATABASE nself_db", "postgres")
    found.ask(SCHEMA)
    yield found
    found.stop()
    shutil.rmtree(place)


def test_a_sound_database_is_healthy_and_another_kind_is_not_blamed(server: Server) -> None:
    assert server.verdict().text == "Healthy: 13 of 13 checks passed."
    assert server.verdict("postgres").healthy


def test_every_kind_of_damage_is_found(server: Server) -> None:
    server.ask(
        "SET session_replication_role = replica; INSERT INTO nchat_messages (user_id, channel_id, "
        "created_at) VALUES (99, 1, now() + interval '3 days');"
        "INSERT INTO pair_notes VALUES (2, 'y')"
    )
    server.ask(
        "ALTER TABLE nchat_messages DISABLE TRIGGER ALL; SELECT setval('nchat_users_id_seq', 2); INSERT "
        "INTO auth.users SELECT FROM generate_series(1, 6);"
        "ALTER TABLE nchat_users ADD CONSTRAINT named CHECK (name <> '') NOT VALID; UPDATE pg_index SET "
        "indisvalid = false WHERE indexrelid = 'nchat_messages_pkey'::regclass"
    )
    states = {line.check: line for line in server.verdict().lines}
    wrong = {name for name, line in states.items() if line.state == "attention"}
    assert wrong == {
        "orphaned messages",
        "future timestamps",
        "user counts",
        "constraints",
        "indexes",
        "disabled triggers",
        "foreign keys",
        "sequences",
    }
    assert "1 row of nchat_messages without their nchat_users" in states["foreign keys"].text
    assert "pair_notes_a_b_fkey" in states["foreign keys"].text
    assert states["sequences"].text == "Sequences behind their column: nchat_users_id_seq at 2, nchat_users.id at 5"


def test_the_inventory_counts_what_is_there(server: Server) -> None:
    read = server.json(inventory_sql())
    contents = parse_contents(read)
    assert all(table.rows is None for table in contents.tables)
    counted = server.json(rows_sql(table["oid"] for table in read["tables"]))
    rows = {f"{table['schema']}.{table['name']}": counted[str(table["oid"])][0] for table in read["tables"]}
    assert rows == {
        "auth.users": 5,
        "public.nchat_channels": 2,
        "public.nchat_messages": 100,
        "public.nchat_users": 5,
        "public.pair_notes": 3,
        "public.pairs": 1,
    }
    assert "public.nchat_messages_pkey" in contents.indexes
    assert any("nchat_messages_user_id_fkey" in name for name in contents.constraints)
    messages = next(table for table in contents.tables if table.name == "nchat_messages")
    server.ask("VACUUM FULL nchat_messages")
    path = server.ask("SELECT pg_relation_filepath('nchat_messages')")
    assert messages.file.split("/")[:2] == ["1663", path.split("/")[1]]
    again = parse_contents(server.json(inventory_sql())).tables
    assert f"1663/{path.partition('/')[2]}" in {table.file for table in again}


def test_two_states_of_a_table_differ_by_exactly_the_rows_that_changed(server: Server) -> None:
    def look(table: ComparedTable) -> tuple[str, Any, Any]:
        digest = server.json(digests_sql([table.oid]))[str(table.oid)]
        return server.json(pairs_sql(table)), parse_buckets(server.json(buckets_sql(table, 1024))), digest

    tables = {table.full_name: table for table in parse_tables(server.json(TABLES)["tables"])}
    assert tables["public.pairs"].key == ("a", "b")
    assert tables["public.pair_notes"].key == ()
    table = tables["public.nchat_messages"]
    before = look(table)
    server.ask(
        "DELETE FROM nchat_messages WHERE id IN (7, 8); INSERT INTO nchat_messages (body) VALUES ('new'); "
        "UPDATE nchat_messages SET body = 'x' WHERE id = 9"
    )
    after = look(table)
    assert difference(before[0], after[0], keyed=True) == Rows(2, 1, 1)
    assert (before[2][0], after[2][0]) == (100, 99)
    (part,) = parts(before[1], after[1])
    assert 1 <= len(part.these) <= 4
    some = server.json(pairs_sql(table, these_buckets(part.these, 1024)))
    assert len(some) < len(after[0]) / 5
    assert server.json(DIGESTS_IF_FEW)[str(table.oid)] == after[2]


def dump(server: Server, start: int, end: int) -> list[str]:
    return run(
        tool("pg_waldump"),
        "-p",
        server.data / "pg_wal",
        "-s",
        format_lsn(start),
        "-e",
        format_lsn(end),
        "-r",
        "Heap",
        "-r",
        "Heap2",
        "-r",
        "Transaction",
    ).splitlines()


def test_the_awk_program_agrees_on_a_real_servers_wal(server: Server) -> None:
    start = parse_lsn(server.ask("SELECT pg_current_wal_lsn()"))
    server.ask(
        "DO $$ BEGIN FOR i IN 1..50 LOOP BEGIN INSERT INTO nchat_messages (body) VALUES (i); IF i % 3 = 0 "
        "THEN RAISE EXCEPTION 'no'; END IF; "
        "EXCEPTION WHEN raise_exception THEN NULL; END; END LOOP; END $$"
    )
    server.ask("CREATE TABLE copied AS SELECT g AS a FROM generate_series(1, 300) g")
    server.ask("TRUNCATE pair_notes")
    server.ask("DELETE FROM nchat_messages WHERE body IS NULL OR id <= 10")
    lines = dump(server, start, parse_lsn(server.ask("SELECT pg_current_wal_flush_lsn()")))
    stop = Stop(parse_lsn("0/0"), False)
    python = losses(lines, stop)
    awk = parse_losses(run(*losses_argv(stop), input="\n".join(lines) + "\n"))
    assert awk == python
    node = server.ask(
        "SELECT '1663/' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || "
        "pg_relation_filenode('nchat_messages')"
    )
    counts = next(row for row in python.rows if row.relation == node)
    assert (counts.inserted, counts.deleted) == (34, 10)


@pytest.mark.parametrize("kind", ["time", "xid", "latest", "idle"])
def test_a_clone_stops_exactly_where_the_plan_says(server: Server, kind: str) -> None:
    base, clone = server.data.parent / "base", Server(server.data.parent / "clone")
    run(
        tool("pg_basebackup"),
        "-h",
        server.data.parent,
        "-U",
        "postgres",
        "-D",
        base,
        "-c",
        "fast",
        "-X",
        "none",
        "--manifest-checksums=SHA256",
    )
    label, manifest = (
        parse_label((base / "backup_label").read_text()),
        parse_manifest((base / "backup_manifest").read_text()),
    )
    assert manifest.intact
    floor = manifest.wal[0].end_lsn
    if kind != "idle":
        server.ask("INSERT INTO nchat_users (name) VALUES ('kept')")
    moment = server.ask("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
    culprit = (
        server.ask("BEGIN; DELETE FROM nchat_messages; SELECT pg_current_xact_id(); COMMIT")
        if kind in ("time", "xid")
        else "0"
    )
    end = parse_lsn(server.ask("SELECT pg_current_wal_flush_lsn()"))
    target = {
        "time": Target("time", "", at=utc(moment)),
        "idle": Target("time", "", at=utc(moment)),
        "latest": Target("latest", ""),
        "xid": Target("xid", "", xid=int(culprit)),
    }[kind]
    stop = find_stop(transaction_ends(dump(server, label.start_lsn, end)), target, floor=floor)
    shutil.copytree(base, clone.data, dirs_exist_ok=True)
    for segment in (server.data / "pg_wal").glob("0*"):
        shutil.copy(segment, clone.data / "pg_wal")
    # A stale target in the file, as a backup of an earlier recovery would bring along.
    with (clone.data / "postgresql.auto.conf").open("a") as conf:
        conf.write("recovery_target_time = '2001-01-01'\nrestore_command = 'false'\n")
    if kind == "xid":
        kept, removed = strip_auto_conf((clone.data / "postgresql.auto.conf").read_text())
        assert len(removed) == 2
        (clone.data / "postgresql.auto.conf").write_text(kept)
    (clone.data / "recovery.signal").touch()
    if AS_SERVER:
        give_to_server(clone.data)
    control = parse_controldata(run(tool("pg_controldata"), clone.data))
    major = int(server.ask("SHOW server_version_num")) // 10000
    server.stop()
    settings = clone_settings(major, CloneLimits.of(512 * 1024**2, control), stop, 1)
    # Here is no container with a folder of its own, so the ways in are those of the test.
    kept = [pair for pair in settings if pair[0] != "port" and not pair[1].startswith(CLONE.host)]
    clone.start("-c", "archive_mode=on", *as_flags(tuple(kept)))
    try:
        clone.ready("SELECT pg_get_wal_replay_pause_state() = 'paused'")
        assert clone.ask("SELECT count(*) FROM nchat_messages") == "100"
        assert clone.ask("SELECT count(*) FROM nchat_users") == ("5" if kind == "idle" else "6")
        replayed = parse_lsn(clone.ask("SELECT pg_last_wal_replay_lsn()"))
        last = clone.ask(
            "SELECT to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
        )
        assert is_proof(stop, replayed, utc(last) if last else None)
        assert clone.ask("SHOW archive_mode") == "off"
        assert clone.verdict().healthy
        clone.ask("SELECT pg_promote(true, 60)")
        assert clone.ask("SELECT pg_is_in_recovery()") == "f"
    finally:
        clone.stop()
        server.start("-c", "listen_addresses=", "-c", "max_prepared_transactions=5")
        server.ready("SELECT true")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def give_to_server(place: Path) -> None:
    for path in (place, *place.rglob("*")):
        shutil.chown(path, "postgres", "postgres")
