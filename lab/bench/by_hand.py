"""The recovery that somebody makes by hand: the same base, the same WAL, the same settings, nothing checked."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

from actions.engine.errors import RecoveryError
from lab import company
from lab.bench.ground import Ground

_FOLDER = "by_hand"
_SECONDS = 900
# Where the clone has its socket and its configuration, which somebody by hand would leave as they are.
_OF_THE_CLONE = (
    "data_directory",
    "config_file",
    "hba_file",
    "ident_file",
    "unix_socket_directories",
    "unix_socket_group",
    "unix_socket_permissions",
    "port",
    "external_pid_file",
)
_COPY = f"""
cp -a "/bases/$1" /data/{_FOLDER} && shift && cd /wal && cp "$@" /data/{_FOLDER}/pg_wal/ && cd /data/{_FOLDER} &&
touch recovery.signal && chown --reference=PG_VERSION recovery.signal
"""


@dataclass
class ByHand:
    """Recoveries by hand beside those of a company. The flags are those of the first clone: to one target they stay."""

    ground: Ground
    made_like: tuple[str, list[str]] | None = None

    @property
    def container(self) -> str:
        """The server that replays."""
        return self.ground.lab.container("by-hand")

    def recover(self, run: str) -> float:
        """Copy the base, lay the WAL and replay, to the target of that run; the seconds it took."""
        image, flags = self.made_like = self.made_like or self._clone_of(run)
        self.ground.settle()
        began = time.monotonic()
        try:
            self._copy(run, image)
            self._start(image, flags)
            while not self._paused():
                self._must_go_on(time.monotonic() - began)
                time.sleep(0.1)
            return time.monotonic() - began
        finally:
            self.clear()

    def clear(self) -> None:
        """Remove what was made."""
        subprocess.run(["docker", "rm", "-fv", self.container], capture_output=True, check=False)
        if self.made_like is not None:
            self._run("rm", self.made_like[0], "-rf", f"/data/{_FOLDER}")

    def _clone_of(self, run: str) -> tuple[str, list[str]]:
        clone = f"mayday-clone-{run}"
        flags = self.ground.docker("inspect", "-f", "{{range .Config.Cmd}}{{println .}}{{end}}", clone).splitlines()
        settings = [flag for flag in flags if "=" in flag and flag.partition("=")[0] not in _OF_THE_CLONE]
        return self.ground.docker("inspect", "-f", "{{.Image}}", clone), [p for one in settings for p in ("-c", one)]

    @property
    def _data(self) -> str:
        return str(self.ground.lab.data("postgres").parent)

    def _copy(self, run: str, image: str) -> None:
        base, archive = company.open_store(self.ground.lab).run(run).facts["base"], self.ground.lab.wal_archive
        segments = [name for name in base["segments"] if (archive / name).exists()]
        self._run("sh", image, "-c", _COPY, "sh", base["name"], *segments)

    def _start(self, image: str, flags: list[str]) -> None:
        home = f"{self._data}/{_FOLDER}:/var/lib/postgresql/data"
        self.ground.docker(
            "run",
            "-d",
            f"--name={self.container}",
            "--network=none",
            "--shm-size=1g",
            "-v",
            home,
            image,
            "postgres",
            *flags,
        )

    def _run(self, program: str, image: str, *arguments: str) -> None:
        bases, archive = self.ground.lab.backups / "postgres" / "base", self.ground.lab.wal_archive
        mounts = ["-v", f"{self._data}:/data", "-v", f"{bases}:/bases:ro", "-v", f"{archive}:/wal:ro"]
        self.ground.docker("run", "--rm", "--network=none", f"--entrypoint={program}", *mounts, image, *arguments)

    def _paused(self) -> bool:
        asked = ["psql", "-U", "postgres", "-XqAtc", "select pg_get_wal_replay_pause_state()"]
        done = subprocess.run(["docker", "exec", self.container, *asked], capture_output=True, text=True, check=False)
        return done.stdout.strip() == "paused"

    def _must_go_on(self, seconds: float) -> None:
        if seconds > _SECONDS or self.ground.docker("inspect", "-f", "{{.State.Running}}", self.container) != "true":
            raise RecoveryError(
                "The recovery by hand did not reach the target.",
                detail=f"After {seconds:.0f} s.",
                hint=f"See docker logs {self.container}.",
            )
