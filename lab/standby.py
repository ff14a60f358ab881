"""The standby of the practice company: a second server that follows the first, as people build them with Compose."""

from __future__ import annotations

import docker

from actions.engine.errors import RecoveryError
from lab.containers import find, start_services
from lab.database import connected
from lab.home import DATABASE, POSTGRES_MOUNT, STANDBY, Lab
from lab.images import Images
from lab.services import POSTGRES_SETTINGS, PROGRAMS, Service

SCRIPT = "start_standby.sh"
SLOT = "standby"
_PLACE = f"/etc/nself/{SCRIPT}"
# Docker's own networks are what `samenet` means there.
_LINE = "host replication replicator samenet scram-sha-256"


def start(client: docker.DockerClient, lab: Lab, images: Images, port: int) -> None:
    """Let the primary accept it, then start it; it copies the primary the first time."""
    _prepare_primary(client, lab)
    start_services(client, lab, [_service(lab, images)], {STANDBY: port})


def _prepare_primary(client: docker.DockerClient, lab: Lab) -> None:
    """A role, a slot and a line in pg_hba.conf; a slot of a standby that stays away keeps a limited amount of WAL."""
    password = lab.replication_password_file.read_text().strip()
    with connected(lab) as db:
        if db.execute("select 1 from pg_roles where rolname = 'replicator'").fetchone() is None:
            db.execute("create role replicator login replication")
        # The password is made of letters, digits, dashes and underscores (secrets.token_urlsafe).
        db.execute(f"alter role replicator password '{password}'")
        if db.execute("select 1 from pg_replication_slots where slot_name = %s", (SLOT,)).fetchone() is None:
            db.execute("select pg_create_physical_replication_slot(%s, true)", (SLOT,))
        db.execute("alter system set max_slot_wal_keep_size = '2GB'")
        _accept_replication(client, lab)
        db.execute("select pg_reload_conf()")


def _accept_replication(client: docker.DockerClient, lab: Lab) -> None:
    primary = find(client, lab.container("postgres"))
    if primary is None:
        raise RecoveryError("The practice company's database is not there.", hint="Start it with: mayday lab up")
    add = f'grep -qxF "{_LINE}" "$PGDATA/pg_hba.conf" || printf "\\n{_LINE}\\n" >> "$PGDATA/pg_hba.conf"'
    done = primary.exec_run(["sh", "-c", add], user="postgres")
    if done.exit_code != 0:
        raise RecoveryError(
            "The primary could not be told to accept replication: its pg_hba.conf was not written.",
            detail=done.output.decode(errors="replace"),
            hint="See that its disk is not full, then start the lab again.",
        )


def _service(lab: Lab, images: Images) -> Service:
    settings = [part for k, v in POSTGRES_SETTINGS.items() for part in ("-c", f"{k}={v}")]
    return Service(
        name=STANDBY,
        image=images.postgres,
        port=5432,
        command=[_PLACE, "postgres", *settings],
        environment={
            "PGDATA": POSTGRES_MOUNT,
            "PRIMARY_HOST": lab.container("postgres"),
            "STANDBY_NAME": lab.container(STANDBY),
            "STANDBY_SLOT": SLOT,
        },
        volumes={
            str(lab.data(STANDBY)): {"bind": POSTGRES_MOUNT, "mode": "rw"},
            str(lab.backups): {"bind": "/backups", "mode": "rw"},
            str(lab.replication_password_file): {"bind": "/run/secrets/replication_password", "mode": "ro"},
            str(lab.root / "config" / SCRIPT): {"bind": _PLACE, "mode": "ro"},
            str(lab.root / "config" / "archive_wal.sh"): {"bind": "/etc/nself/archive_wal.sh", "mode": "ro"},
        },
        health=["CMD", f"{PROGRAMS}/pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", DATABASE],
        health_seconds=6,
    )
