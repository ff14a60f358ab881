"""The bench leaves no copies of the database behind, of which each pair makes one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.console import Console

from lab.bench.ground import Ground
from lab.home import Lab

pytestmark = pytest.mark.parts


def test_what_a_run_left_beside_the_live_data_is_removed_and_nothing_else(tmp_path: Path) -> None:
    lab = Lab(tmp_path, prefix="mtest-bench-", project="mtest-bench")
    data = lab.data("postgres").parent
    for name in ("postgres", "postgres_discarded_r1", "postgres_wal_r1", "postgres_discarded_r11"):
        (data / name).mkdir(parents=True)
        (data / name / "PG_VERSION").write_text("15")
    (data / "postgres_discarded_r1.mayday.json").write_text("{}")
    if os.geteuid() == 0:
        os.chown(data / "postgres_discarded_r1", 999, 999)
    Ground(lab, Console()).remove_kept("r1")
    assert sorted(path.name for path in data.iterdir()) == ["postgres", "postgres_discarded_r11"]
