"""Where things lie for the tests: the project's root, recorded outputs."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DATA = TESTS / "data"
SPECS = DATA / "specs"
