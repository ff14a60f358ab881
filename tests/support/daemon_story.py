"""The story that `tests/whole/test_daemon.py` tells in a network namespace of its own; ends with 0."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker

from actions.engine.journal import Kind
from lab.images import ensure_images
from tests.support.practice import Practice, practice_company


class Daemon:
    """A Docker daemon with its own socket and data."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = f"unix://{root}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            "dockerd",
            "-H",
            self.url,
            "--data-root",
            f"{self.root}/data",
            "--exec-root",
            f"{self.root}/exec",
            "--pidfile",
            f"{self.root}/pid",
        ]
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while not self.answers():
            assert time.monotonic() < end, (self.root / "log").read_text()[-2000:]
            time.sleep(0.3)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(90)

    def answers(self) -> bool:
        try:
            return bool(docker.DockerClient(base_url=self.url).ping())
        except docker.errors.DockerException:
            return False


def carry_images(daemon: Daemon) -> None:
    """The lab's images, from the machine's daemon into this one."""
    images = ensure_images(docker.from_env())
    with subprocess.Popen(
        ["docker", "save", images.postgres, images.redis, images.standin], stdout=subprocess.PIPE
    ) as saving:
        subprocess.run(["docker", "-H", daemon.url, "load", "-q"], stdin=saving.stdout, check=True, capture_output=True)
    os.sync()  # What was loaded is written now, not in the middle of the story.


def tell(daemon: Daemon, root: Path) -> str:
    """A recovery during whose replay the daemon is restarted; how it ended."""
    with practice_company(root, "mtdk") as company:
        run = reaches_replay(company)
        daemon.stop()
        daemon.start()
        if company.wait(run) == "failed":
            company.press("Retry", run)
            company.wait(run)
        company.until(lambda: company.run(run).asking, 120, "the preview is put", run)
        company.press("Cut over", run, "approver", typed=company.postgres)
        ended = company.wait(run)
        assert ended == "recovered", company.story(run)
        company.assert_on_the_record(run)
        return ended


def reaches_replay(company: Practice) -> str:
    """A recovery that is replaying just now."""
    company.psql("create table ballast as select g, repeat(md5(g::text), 30) t from generate_series(1, 200000) g")
    target = company.now()
    company.psql("insert into ballast values (0, 'after the target')")
    run = company.ask(target)
    assert company.wait(run) == "asking", company.story(run)
    company.press("Pause writers and restore", run)
    company.wait_for(run, Kind.BEGAN, "replay to the target")
    return run


def main() -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # A short path: a socket's address has room for a hundred letters.
    root = Path(f"/tmp/mayday-daemon-{os.getpid()}")
    root.mkdir()
    daemon = Daemon(root)
    try:
        daemon.start()
        carry_images(daemon)
        os.environ["DOCKER_HOST"] = daemon.url
        sys.stdout.write(tell(daemon, Path(sys.argv[1])) + "\n")
    finally:
        daemon.stop()
        shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
