"""The Docker daemon is restarted in the middle of a recovery: a daemon of the test's own, never the machine's.

It lives in a network namespace of its own, with everybody who speaks to it: two daemons in one namespace
would take each other's firewall rules away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

STORY = ROOT / "tests/support/daemon_story.py"

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, ("dockerd", "ip", "unshare"))),
        reason="a second Docker daemon needs root, dockerd, ip and unshare",
    ),
]


def test_a_recovery_survives_a_restart_of_the_docker_daemon_while_it_replays(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        ["unshare", "--net", sys.executable, str(STORY), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "recovered" in told.stdout
