"""The front door: help says of a command what the command says of itself, and imports nothing heavy for it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest
import typer

from bot.terminal.deferred import LATE
from tests.support.paths import ROOT

HEAVY = ("rich", "sqlalchemy", "slack_sdk", "slack_bolt", "redis", "docker", "pydantic")


@pytest.mark.parametrize("name", sorted(LATE))
def test_help_says_of_a_command_what_it_says_of_itself(name: str) -> None:
    late = LATE[name]
    found: Any = typer.main.get_command(getattr(importlib.import_module(late.module), late.app))
    command = found.commands[name] if late.one_of_many else found
    assert (command.help or "").splitlines()[0] == late.summary


def test_help_imports_nothing_heavy() -> None:
    told = "import sys, mayday\nsys.argv = ['mayday', '--help']\ntry: mayday.main()\nexcept SystemExit: pass\n"
    asked = f"{told}print('imported:', [name for name in {HEAVY} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "imported: []"
    assert all(name in said.stdout for name in LATE)


def test_no_command_of_the_terminal_loads_what_listens_to_slack() -> None:
    """Bolt cannot be loaded by a user of the host who has no home, and such a user may be an operator."""
    modules = sorted({late.module for late in LATE.values()})
    told = f"import sys, importlib\nfor name in {modules}: importlib.import_module(name)\n"
    asked = f"{told}print('slack_bolt' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("debug", [False, True])
def test_what_nobody_foresaw_is_said_in_words_and_traced_only_with_debug(debug: bool) -> None:
    flags = ["--debug"] if debug else []
    told = (
        "import sys, mayday\n"
        "def breaks(): raise KeyError('colour')\n"
        f"mayday.app, sys.argv = breaks, {['mayday', *flags, 'runs']!r}\n"
        "mayday.main()\n"
    )
    said = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert ("Traceback" in said.stderr) is debug
    assert "KeyError: 'colour'" in said.stderr
    assert ("mayday --debug" in said.stderr) is not debug


@pytest.mark.parametrize("words", [["--help"], ["lab", "up"]])
def test_without_the_practice_company_its_command_is_not_offered_and_says_where_it_is(words: list[str]) -> None:
    told = f"import sys, mayday\nsys.modules['lab'] = None\nsys.argv = {['mayday', *words]!r}\nmayday.main()\n"
    said = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=False)
    if words == ["--help"]:
        assert said.returncode == 0
        assert "doctor" in said.stdout
        assert "practice company" not in said.stdout
    else:
        assert said.returncode == 1
        assert "not part of this installation" in said.stderr
        assert "make demo" in said.stderr
