"""Makes the images of the lab present: pulled where a registry answers, else built from Debian packages."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import APIError, BuildError, ImageNotFound

from actions.engine.errors import RecoveryError
from lab.engine import Say, can_install_packages, install_packages, silent

POSTGRES = "postgres:15-bookworm"
REDIS = "redis:7-bookworm"
BASE = "debian:bookworm-slim"

_HERE = Path(__file__).parent
_STANDINS = _HERE / "standins"
_RECIPES = {POSTGRES: _HERE / "images" / "postgres", REDIS: _HERE / "images" / "redis"}
_REGISTRY = "https://registry-1.docker.io/v2/"
_PROBE_SECONDS = 4


@dataclass(frozen=True)
class Images:
    """The tags to start containers from."""

    postgres: str
    redis: str
    standin: str


def ensure_images(client: docker.DockerClient, say: Say = silent) -> Images:
    """Every image the lab needs; nothing is fetched or built when all are there."""
    images = Images(POSTGRES, REDIS, f"mayday-lab-standin:{_fingerprint()}")
    missing = [tag for tag in (images.postgres, images.redis, images.standin) if not present(client, tag)]
    if not missing:
        return images
    if registry_answers():
        missing = [tag for tag in missing if tag == images.standin or not _pulled(client, tag, say)]
    if missing:
        ensure_base(client, say)
        _build(client, missing, say)
    return images


def registry_answers() -> bool:
    """One quick question: without a registry, waiting for each image in turn would cost minutes."""
    try:
        urllib.request.urlopen(_REGISTRY, timeout=_PROBE_SECONDS).close()
    except urllib.error.HTTPError as answer:
        # "Who are you?" is the answer of a registry that works; a pull then brings an anonymous token.
        return answer.code == 401
    except (urllib.error.URLError, TimeoutError, OSError):
        return False
    return True


def present(client: docker.DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def _pulled(client: docker.DockerClient, tag: str, say: Say) -> bool:
    say(f"Pulling {tag}.")
    try:
        client.images.pull(tag)
    except APIError as problem:
        say(f"{tag} could not be pulled ({problem.explanation}); building it instead.")
        return False
    return True


def _fingerprint() -> str:
    """Changes with the sources of the stand-ins, so that an old image is never taken for the new one."""
    digest = hashlib.sha256((_STANDINS / "Dockerfile").read_bytes())
    for source in sorted(_STANDINS.glob("*.py")):
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:12]


def _build(client: docker.DockerClient, tags: list[str], say: Say) -> None:
    say(f"Building {', '.join(tags)} from Debian packages.")
    with ThreadPoolExecutor(len(tags)) as several:
        for finished in [several.submit(_build_one, client, tag) for tag in tags]:
            finished.result()


def _build_one(client: docker.DockerClient, tag: str) -> None:
    try:
        client.images.build(path=str(_RECIPES.get(tag, _STANDINS)), tag=tag, rm=True)
    except (BuildError, APIError) as problem:
        raise RecoveryError(
            f"The image {tag} could not be built.",
            detail=last_words(problem),
            hint="The build installs packages with apt: check that containers reach a Debian mirror.",
        ) from problem


def last_words(problem: BuildError | APIError) -> str:
    if not isinstance(problem, BuildError):
        return str(problem)
    lines = [line.get("stream", "") for line in problem.build_log]
    return f"{problem.msg}\n{''.join(lines)}"[-1200:]


def ensure_base(client: docker.DockerClient, say: Say) -> None:
    if present(client, BASE) or (registry_answers() and _pulled(client, BASE, say)):
        return
    if shutil.which("mmdebstrap") is None:
        _install_mmdebstrap(say)
    say(f"Making {BASE} with mmdebstrap.")
    _import_root_file_system(client)


def _install_mmdebstrap(say: Say) -> None:
    if not can_install_packages():
        raise RecoveryError(
            f"The image {BASE} is missing, and no registry answers.",
            detail="It can be made with mmdebstrap, which is not installed.",
            hint="Install mmdebstrap (Debian, Ubuntu: apt-get install mmdebstrap), or load the image by hand.",
        )
    say("mmdebstrap is missing: installing it with apt-get.")
    install_packages("mmdebstrap")


def _import_root_file_system(client: docker.DockerClient) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        tarball = str(Path(scratch) / "base.tar")
        make = ["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", tarball]
        made = subprocess.run(make, capture_output=True, text=True, check=False)
        if made.returncode:
            raise RecoveryError(
                f"The image {BASE} could not be made.",
                detail=made.stderr[-800:],
                hint="mmdebstrap needs a Debian mirror; check the network, then start the lab again.",
            )
        repository, tag = BASE.split(":")
        client.api.import_image_from_file(tarball, repository=repository, tag=tag, changes=['CMD ["bash"]'])
