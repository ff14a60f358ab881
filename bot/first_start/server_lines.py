"""What the Compose file of a PostgreSQL server has to have: archiving, the script for it, the mounts."""

from __future__ import annotations

from pathlib import Path

from bot.first_start.answers import ServerTold

ARCHIVE_SCRIPT = Path(__file__).parent / "archive_wal.sh"
"""The `archive_command`: copies a segment whole or not at all, and into the archive that has its mark alone."""
_OWN_FOLDER = "archive=/backups/postgres/wal"
_IN_CONTAINER = "/etc/mayday/archive_wal.sh"


def archive_script(server: ServerTold) -> str:
    """The script, for the archive's folder as the container sees it."""
    return ARCHIVE_SCRIPT.read_text().replace(_OWN_FOLDER, f"archive='{server.archive}'")


def compose_lines(server: ServerTold, script: Path) -> str:
    """The lines for the service of the server. `script` is where the archive's script lies on the host."""
    command = ["postgres", "-c", "archive_mode=on", "-c", "archive_timeout=60", "-c"]
    quoted = ", ".join(f'"{word}"' for word in [*command, f"archive_command={_IN_CONTAINER} %p %f"])
    mounts = "\n".join(f"      - {line}" for line in (*_mounts(server), f"{script}:{_IN_CONTAINER}:ro"))
    return f"""\
services:
  postgres:                      # the service whose container is {server.container}
    container_name: {server.container}
    command: [{quoted}]
    volumes:                     # beside those that are there; another disk than the data's is better
{mounts}
"""


def first_time(server: ServerTold) -> str:
    """What makes the folders and restarts the server with its new lines, to be typed beside its Compose file."""
    made = " ".join(dict.fromkeys((server.archive, server.bases)))
    return (
        "docker compose up -d postgres\n"
        f"docker exec -u root {server.container} sh -c 'mkdir -p {made} && chown postgres: {made}'"
    )


def _mounts(server: ServerTold) -> list[str]:
    """One mount where archive and bases are neighbours, else one for each."""
    archive, bases = Path(server.archive), Path(server.bases)
    if archive.parent == bases.parent and archive.parent != Path("/"):
        return [f"./backups/{archive.parent.name}:{archive.parent}"]
    return [f"./backups/{path.name}:{path}" for path in dict.fromkeys((archive, bases))]
