"""What each container of the practice company is made of, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lab.home import DATABASE, POSTGRES_MOUNT, SERVICE_LABEL, Lab
from lab.images import Images

_SECOND = 1_000_000_000

# What Debian puts into the path is a script of Perl around each, which costs more than the program.
PROGRAMS = "/usr/lib/postgresql/15/bin"

POSTGRES_SETTINGS = {
    "wal_level": "replica",
    "archive_mode": "on",
    "archive_timeout": "60",
    "archive_command": "/etc/nself/archive_wal.sh %p %f",
    "track_commit_timestamp": "on",
    "wal_log_hints": "on",
    "max_connections": "120",
    "shared_buffers": "128MB",
}

# What the lab puts at the disposal of the Postgres container, by its name in the folder `config`.
CONFIG_MOUNTS = {
    "archive_wal.sh": "/etc/nself/archive_wal.sh",
    "mark_archive.sh": "/docker-entrypoint-initdb.d/10-mark-archive.sh",
    "schema.sql": "/docker-entrypoint-initdb.d/20-schema.sql",
}


@dataclass(frozen=True)
class Service:
    """One container: image, command, the port it answers on, its health check and what it must wait for."""

    name: str
    image: str
    port: int
    health: list[str]
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, dict[str, str]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    # Each check costs a tenth of a second of a core.
    health_seconds: int = 12

    def container_options(self, lab: Lab, host_port: int) -> dict[str, Any]:
        """The arguments of the Docker SDK's `containers.create`."""
        return {
            "image": self.image,
            "command": self.command,
            "name": lab.container(self.name),
            "hostname": lab.container(self.name),
            "environment": self.environment,
            "volumes": self.volumes,
            "labels": lab.labels | {SERVICE_LABEL: self.name},
            "network": lab.network,
            "ports": {f"{self.port}/tcp": ("127.0.0.1", host_port)},
            "restart_policy": {"Name": "unless-stopped"},
            "healthcheck": {
                "test": self.health,
                "interval": self.health_seconds * _SECOND,
                "timeout": 5 * _SECOND,
                "retries": 3,
            },
        }


def services_of(lab: Lab, images: Images) -> list[Service]:
    """The containers of a company; each comes after those it needs."""
    every = [
        _postgres(lab, images),
        _redis(lab, images),
        _minio(lab, images),
        _standin(lab, images, "auth", 4000, "/healthz", needs=("postgres", "redis")),
        _standin(lab, images, "hasura", 8080, "/healthz", needs=("postgres",)),
        _standin(lab, images, "functions", 3000, "/healthz", needs=("postgres", "hasura")),
        _quiet(images, "meilisearch", 7700, "/health"),
        _quiet(images, "prometheus", 9090, "/-/healthy"),
        _quiet(images, "grafana", 3000, "/api/health"),
        _quiet(images, "loki", 3100, "/ready"),
    ]
    return [service for service in every if service.name in lab.services]


def _postgres(lab: Lab, images: Images) -> Service:
    data = lab.postgres_volume if lab.layout != "bind" else str(lab.data("postgres"))
    mounts = {
        data: {"bind": POSTGRES_MOUNT, "mode": "rw"},
        str(lab.backups): {"bind": "/backups", "mode": "rw"},
        str(lab.password_file): {"bind": "/run/secrets/postgres_password", "mode": "ro"},
    }
    for name, place in CONFIG_MOUNTS.items():
        mounts[str(lab.root / "config" / name)] = {"bind": place, "mode": "ro"}
    return Service(
        name="postgres",
        image=images.postgres,
        port=5432,
        command=["postgres", *(part for k, v in POSTGRES_SETTINGS.items() for part in ("-c", f"{k}={v}"))],
        environment={
            "POSTGRES_DB": DATABASE,
            "POSTGRES_INITDB_ARGS": "--data-checksums",
            "POSTGRES_PASSWORD_FILE": "/run/secrets/postgres_password",
            "PGDATA": lab.pgdata,
        },
        volumes=mounts,
        # Over TCP: while the cluster is being created, the server listens on its socket alone.
        health=["CMD", f"{PROGRAMS}/pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", DATABASE],
        health_seconds=6,
    )


def _redis(lab: Lab, images: Images) -> Service:
    return Service(
        name="redis",
        image=images.redis,
        port=6379,
        command=["redis-server", "--appendonly", "yes"],
        volumes={
            str(lab.data("redis")): {"bind": "/data", "mode": "rw"},
            str(lab.backups / "redis"): {"bind": "/backups", "mode": "rw"},
        },
        health=["CMD-SHELL", "redis-cli ping | grep -q PONG"],
    )


def _minio(lab: Lab, images: Images) -> Service:
    return Service(
        name="minio",
        image=images.standin,
        port=9000,
        command=["lab.standins.minio"],
        volumes={
            str(lab.data("minio")): {"bind": "/data", "mode": "rw"},
            str(lab.backups / "minio"): {"bind": "/backups", "mode": "rw"},
        },
        health=_curl(9000, "/minio/health/live"),
    )


def _standin(lab: Lab, images: Images, name: str, port: int, path: str, *, needs: tuple[str, ...]) -> Service:
    return Service(
        name=name,
        image=images.standin,
        port=port,
        command=[f"lab.standins.{name}"],
        environment={
            "DATABASE_HOST": lab.container("postgres"),
            "DATABASE_NAME": DATABASE,
            "REDIS_HOST": lab.container("redis"),
        },
        volumes={str(lab.password_file): {"bind": "/run/secrets/postgres_password", "mode": "ro"}},
        health=_curl(port, path),
        needs=needs,
    )


def _quiet(images: Images, name: str, port: int, path: str) -> Service:
    return Service(
        name=name,
        image=images.standin,
        port=port,
        command=["lab.standins.quiet", name],
        health=_curl(port, path),
    )


def _curl(port: int, path: str) -> list[str]:
    return ["CMD", "curl", "-sf", "-o", "/dev/null", "-m", "4", f"http://127.0.0.1:{port}{path}"]
