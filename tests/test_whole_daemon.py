"""The Docker daemon is restarted in the middle of a recovery: a daemon of the test's own, never the machine's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from practice import Practice, practice_company

from actions.engine.journal import Kind

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("dockerd") is None or shutil.which("ip") is None,
        reason="starting a second Docker daemon needs root, dockerd and ip",
    ),
]
BRIDGE = "maydaytest0"
POOL = "10.213.0.0/16"
RULE = ("FORWARD", "-s", POOL, "-d", POOL, "-j", "ACCEPT")


class Daemon:
    """A Docker daemon beside the machine's: its own socket, data, bridge, and no hand on the firewall."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = f"unix://{root}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # Its own addresses, so that the rule below lets its containers meet and touches nobody else's.
        command = ["dockerd", "-H", self.url, "--default-address-pool", f"base={POOL},size=24", "--data-root", f"{self.root}/data", "--exec-root", f"{self.root}/exec",
                   "--pidfile", f"{self.root}/pid", "--bridge", BRIDGE, "--iptables=false", "--ip-masq=false"]  # fmt: skip
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while not self.answers():
            assert time.monotonic() < end, (self.root / "log").read_text()[-2000:]
            time.sleep(0.3)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(90)

    def answers(self) -> bool:
        try:
            return bool(docker.DockerClient(base_url=self.url).ping())
        except docker.errors.DockerException:
            return False


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    # A short path: a socket's address has room for a hundred letters.
    root = Path(f"/tmp/mayday-daemon-{os.getpid()}")
    root.mkdir()
    ip("link", "add", BRIDGE, "type", "bridge")
    daemon = Daemon(root)
    try:
        ip("addr", "add", "10.213.77.1/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        iptables("-I", *RULE)
        daemon.start()
        carry_images(daemon)
        monkeypatch.setenv("DOCKER_HOST", daemon.url)
        yield daemon
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.stop()
        subprocess.run(["iptables", "-D", *RULE], check=False, capture_output=True)
        ip("link", "del", BRIDGE)
        shutil.rmtree(root, ignore_errors=True)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def iptables(*arguments: str) -> None:
    subprocess.run(["iptables", *arguments], check=True, capture_output=True)


def carry_images(daemon: Daemon) -> None:
    """The lab's images, from the machine's daemon into the test's."""
    names = [tag for image in docker.from_env().images.list() for tag in image.tags if wanted(tag)]
    with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saving:
        subprocess.run(["docker", "-H", daemon.url, "load", "-q"], stdin=saving.stdout, check=True, capture_output=True)


def wanted(tag: str) -> bool:
    return tag.startswith(("postgres:15", "redis:7", "mayday-lab-standin:", "debian:bookworm-slim"))


def test_the_docker_daemon_is_restarted_while_the_clone_replays(daemon: Daemon, tmp_path: Path) -> None:
    with practice_company(tmp_path, "mtdk") as company:
        run = reaches_replay(company)
        daemon.stop()
        daemon.start()
        if company.wait(run) == "failed":
            company.press("Retry", run)
            company.wait(run)
        company.until(lambda: company.run(run).asking, 120, "the preview is put", run)
        company.press("Cut over", run, "approver", typed=company.postgres)
        assert company.wait(run) == "recovered", company.story(run)
        company.assert_on_the_record(run)
        assert company.times_done(run, "replay to the target") == 1
        assert company.times_done(run, "swap the data directories") == 1


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
