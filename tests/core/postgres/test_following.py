"""How a standby is told whom to follow: names, addresses, quoting, and a password as PostgreSQL keeps it."""

from __future__ import annotations

from base64 import b64decode

import pytest

from actions.postgres.following import PrimaryAddress, address_of, password_in, role_of, settings_of, slot_of
from actions.postgres.scram import scram_verifier
from actions.steps.replication.plan_changes import flags_of

UPSTREAM = PrimaryAddress("db.example", 5433, "mayday_replication_s", "s", "nself-postgres-2")


def test_a_verifier_is_what_the_server_itself_keeps() -> None:
    """Made by PostgreSQL 15: alter role postgres password 'pencil'; select rolpassword from pg_authid."""
    kept = (
        "SCRAM-SHA-256$4096:omkpS35JVNWccBIOIKIyWw==$9uSw4MWpyFLLkHHTOjwkoVwgN8EZM9P3lS5U3noTdw8=:"
        "QSZ/2EZIZ5mOsYSVrYhOhtqsdJ4s+FujBb1M92BOHSw="
    )
    assert scram_verifier("pencil", b64decode("omkpS35JVNWccBIOIKIyWw==")) == kept


def test_a_password_of_other_characters_is_refused() -> None:
    for password in ("pässword", "a\nb"):
        with pytest.raises(ValueError, match="other characters"):
            scram_verifier(password, b"salt")


def test_names_are_those_of_one_standby_alone_and_fit() -> None:
    assert slot_of("nself-postgres", "east") == "nself_postgres_east"
    assert slot_of("nself-postgres", "main") != slot_of("nself-postgres", "east")
    assert role_of("nself_postgres_east") == "mayday_replication_nself_postgres_east"
    assert len(slot_of("x" * 80, "main")) == len(role_of("y" * 63)) == 63
    assert slot_of("x" * 80, "main") != slot_of("x" * 80, "east")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", ("db", 5434)),
        ("10.0.0.5", ("10.0.0.5", 5432)),
        ("10.0.0.5:6000", ("10.0.0.5", 6000)),
        ("[fd00::5]:6000", ("fd00::5", 6000)),
        ("[fd00::5]", ("fd00::5", 5432)),
    ],
)
def test_an_address_is_read_as_people_write_it(said: str, found: tuple[str, int]) -> None:
    assert address_of(said, "db", 5434) == found


def test_the_standbys_settings_quote_what_they_say() -> None:
    odd = PrimaryAddress("db.example", 5433, "r", "s", "it's a name")
    said = settings_of(odd, "/var/lib/my data/mayday.pgpass", (("max_connections", 130),))
    assert "primary_slot_name = 's'\n" in said
    assert "max_connections = '130'\n" in said
    assert "wal_retrieve_retry_interval = '100ms'\n" in said
    assert r"passfile=''/var/lib/my data/mayday.pgpass'' application_name=''it\\''s a name''" in said


def test_the_password_is_read_out_of_the_line_that_was_laid() -> None:
    assert password_in(UPSTREAM.passfile_line("a-B_9")) == "a-B_9"
    assert password_in("") == ""


def test_the_settings_of_a_command_line_are_found_within_that_of_a_wrapper() -> None:
    command = ("/start.sh", "postgres", "-c", "max_connections=50", "--max-wal-senders=4", "-cwork_mem=4MB", "-D", "/d")
    assert flags_of(command) == {"max_connections": "50", "max_wal_senders": "4", "work_mem": "4MB"}
