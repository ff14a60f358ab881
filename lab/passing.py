"""A command in a container that lives just as long: for files that belong to a server's own user."""

from __future__ import annotations

from pathlib import Path

import docker


def in_passing(client: docker.DockerClient, image: str, argv: list[str], folder: Path, target: str) -> None:
    """Runs `argv` as root in a container of `image` that sees `folder` as `target`; leaves nothing behind.

    Raises docker.errors.ContainerError where the command fails.
    """
    program, *arguments = argv
    container = client.containers.create(
        image,
        arguments,
        entrypoint=program,
        user="root",
        network_disabled=True,
        volumes={str(folder): {"bind": target, "mode": "rw"}},
    )
    try:
        container.start()
        code = container.wait()["StatusCode"]
        if code:
            raise docker.errors.ContainerError(container, code, argv, image, container.logs().decode(errors="replace"))
    finally:
        # docker-py's own remove=True would leave the anonymous volumes that the image declares.
        container.remove(force=True, v=True)
