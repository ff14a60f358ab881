"""Swapping the folders of tablespaces by the real scripts on real directories, killed at every effect."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from itertools import product
from pathlib import Path

import pytest

from workers.postgres.tablespace_swap import SEE, SET_ASIDE, SWAP, SWAP_BACK

pytestmark = pytest.mark.deep
RUN, LEAF = "r1", "PG_15_202209061"
LABEL = json.dumps({"kept_until": "2026-12-13", "run": RUN})
CASES = list(product((True, False), (True, False)))
"""Whether the live server has files in the location, and whether the clone has."""
# Counts the effects; at the chosen one its shell is killed, right after it.
_SHIM = """#!/bin/sh
n=$(($(cat "$COUNTER") + 1)); echo $n >"$COUNTER"
{program} "$@"; code=$?
[ "$n" != "$DIES_AFTER" ] || kill -9 $PPID
exit $code
"""


class Ground:
    """One location, or two, of one run."""

    def __init__(self, root: Path, *locations: tuple[bool, bool]) -> None:
        self.root = root
        self.counter = root / "counter"
        self.places = [root / f"location{i}" for i in range(len(locations))]
        for place, (live, clone) in zip(self.places, locations, strict=True):
            (place / f"{LEAF}_clone_{RUN}").mkdir(parents=True)
            (place / "lost+found").mkdir()
            if live:
                self.files(place / LEAF, "old")
            if clone:
                self.files(place / f"{LEAF}_clone_{RUN}" / LEAF, "new")
        self.shims()

    @staticmethod
    def files(folder: Path, text: str) -> None:
        (folder / "5").mkdir(parents=True)
        (folder / "5" / "16384").write_text(text)

    def shims(self) -> None:
        folder = self.root / "bin"
        folder.mkdir()
        for name in ("mv", "mkdir", "rmdir", "rm", "chown"):
            shim = folder / name
            shim.write_text(_SHIM.format(program=shutil.which(name)))
            shim.chmod(shim.stat().st_mode | stat.S_IXUSR)

    def does(self, script: str, dies_after: int = 0) -> subprocess.CompletedProcess[str]:
        self.counter.write_text("0")
        env = {
            "PATH": f"{self.root}/bin:{os.environ['PATH']}",
            "COUNTER": str(self.counter),
            "DIES_AFTER": str(dies_after),
        }
        given = [part for place in self.places for part in (str(place), LEAF)]
        return subprocess.run(
            ["sh", "-c", script, "mayday", RUN, LABEL, *given], env=env, capture_output=True, text=True, check=False
        )

    def effects(self) -> int:
        return int(self.counter.read_text())

    def must(self, script: str) -> str:
        done = self.does(script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def picture(self) -> dict[str, str]:
        """Every file with its content; a folder of its own where it is empty."""
        found = {}
        for place in self.places:
            for path in sorted(place.rglob("*")):
                if path.is_file():
                    found[str(path.relative_to(self.root))] = path.read_text()
                elif not any(path.iterdir()):
                    found[str(path.relative_to(self.root))] = "empty"
        return found


def swapped(tmp_path: Path, live: bool, clone: bool) -> Ground:
    ground = Ground(tmp_path, (live, clone), (True, True))
    ground.must(SWAP)
    return ground


@pytest.mark.parametrize(("live", "clone"), CASES)
def test_the_clones_files_are_live_and_the_old_ones_kept_and_labelled(tmp_path: Path, live: bool, clone: bool) -> None:
    ground = swapped(tmp_path, live, clone)
    place = ground.places[0]
    kept = place / f"{LEAF}_before_{RUN}"
    assert (place / LEAF).exists() is clone
    assert kept.is_dir()
    assert (kept / "5").exists() is live
    told = json.loads((place / f"{kept.name}.mayday.json").read_text())
    assert told["run"] == RUN
    assert not (place / f"{LEAF}_clone_{RUN}").exists()
    assert (place / "lost+found").is_dir()
    assert ground.must(SEE).split() == ["new", "new"]


@pytest.mark.parametrize(("live", "clone"), CASES)
def test_swapped_back_all_is_as_it_was(tmp_path: Path, live: bool, clone: bool) -> None:
    ground = Ground(tmp_path, (live, clone), (True, True))
    before = ground.picture()
    assert ground.must(SEE).split() == ["old", "old"]
    ground.must(SWAP)
    ground.must(SWAP_BACK)
    assert ground.picture() == before
    ground.must(SWAP_BACK)
    assert ground.picture() == before


@pytest.mark.parametrize(("live", "clone"), CASES)
def test_killed_at_any_effect_a_swap_goes_on_and_can_be_taken_back(tmp_path: Path, live: bool, clone: bool) -> None:
    whole = swapped(tmp_path / "whole", live, clone)
    wanted = whole.picture()
    effects = effects_of(tmp_path / "count", live, clone)
    assert effects > 4
    for n in range(1, effects + 1):
        ground = Ground(tmp_path / f"on{n}", (live, clone), (True, True))
        before = ground.picture()
        assert ground.does(SWAP, n).returncode != 0
        assert ground.must(SEE).split() != ["new", "new"] or n == effects
        ground.must(SWAP)
        assert ground.picture() == wanted, n
        back = Ground(tmp_path / f"back{n}", (live, clone), (True, True))
        back.does(SWAP, n)
        back.must(SWAP_BACK)
        assert drafts_aside(back.picture()) == before, n


def effects_of(root: Path, live: bool, clone: bool) -> int:
    counted = Ground(root, (live, clone), (True, True))
    counted.must(SWAP)
    return counted.effects()


def drafts_aside(picture: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in picture.items() if not name.endswith(".draft")}


@pytest.mark.parametrize(("live", "clone"), CASES)
def test_killed_at_any_effect_the_way_back_goes_on(tmp_path: Path, live: bool, clone: bool) -> None:
    before = Ground(tmp_path / "before", (live, clone), (True, True)).picture()
    counted = swapped(tmp_path / "count", live, clone)
    counted.must(SWAP_BACK)
    for n in range(1, counted.effects() + 1):
        ground = swapped(tmp_path / f"{n}", live, clone)
        ground.does(SWAP_BACK, n)
        ground.must(SWAP_BACK)
        assert ground.picture() == before, n


def test_a_clone_that_was_given_up_is_set_aside_with_its_label(tmp_path: Path) -> None:
    ground = Ground(tmp_path, (True, True), (True, False))
    ground.must(SET_ASIDE)
    ground.must(SET_ASIDE)
    first, second = ground.places
    assert (first / f"{LEAF}_discarded_{RUN}" / LEAF / "5" / "16384").read_text() == "new"
    assert json.loads((first / f"{LEAF}_discarded_{RUN}.mayday.json").read_text())["run"] == RUN
    assert not (first / f"{LEAF}_clone_{RUN}").exists()
    assert [path.name for path in sorted(second.iterdir())] == [LEAF, "lost+found"]


def test_files_that_nobody_expected_are_never_overwritten(tmp_path: Path) -> None:
    ground = Ground(tmp_path, (False, True))
    kept = ground.places[0] / f"{LEAF}_before_{RUN}"
    assert ground.does(SWAP, 2).returncode != 0
    ground.files(ground.places[0] / LEAF, "somebody's")
    done = ground.does(SWAP)
    assert done.returncode == 65
    assert "in the way" in done.stderr
    assert (ground.places[0] / LEAF / "5" / "16384").read_text() == "somebody's"
    assert kept.is_dir()
