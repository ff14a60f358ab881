"""What the README and the docs name exists: commands, make targets, files, settings, links, buttons."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from pydantic import BaseModel

import mayday
from actions.catalog import CATALOG
from actions.engine.procedure import Act, Ask, Procedure
from actions.settings.schedules import ScheduleTable
from actions.settings.services import ServiceTable, SiteTable
from actions.settings.settings import Settings
from actions.settings.slack_values import FAMILIES
from actions.settings.variables import PLACES, SECRETS
from actions.stack.manual import MANUAL
from bot.commands.parse_command import RunCommand, UnknownCommand, command_of, meaning
from tests.support import example_recovery
from tests.support.paths import ROOT

DOCS = sorted((ROOT / "docs").glob("*.md"))
TOP = ("README.md", "STYLE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PAGES = [*(ROOT / name for name in TOP), *DOCS]
LONGEST_README = 200


def all_text() -> str:
    return "\n".join(page.read_text() for page in PAGES)


def codes(text: str) -> set[str]:
    """What stands between backquotes, and the lines of the shell blocks."""
    shell = re.findall(r"^```(?:sh|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = {line.split("#")[0].strip() for block in shell for line in block.splitlines()}
    return {code for code in {*re.findall(r"`([^`\n]+)`", text), *lines} if code}


def terminal_command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that a line of the terminal names, and what is left of the line."""
    found: Any = typer.main.get_command(mayday.app)
    while words and hasattr(found, "commands") and not words[0].startswith("-"):
        _name, inner, rest = found.resolve_command(typer.Context(found), words)
        assert inner is not None, f"there is no command {words}"
        found, words = inner, rest
    return found, words


def lines_of(program: str) -> Iterator[str]:
    for code in sorted(codes(all_text())):
        for part in code.split("&&"):
            named = re.search(rf"(?:^|\s|/){program} (.*)", part.strip())
            if named:
                yield named[1]


def test_every_mayday_command_that_the_pages_name_exists_with_its_options() -> None:
    seen = [line for line in lines_of("mayday") if re.match(r"[a-z-]", line)]
    for line in seen:
        command, rest = terminal_command(re.sub(r"'[^']*'", "TEXT", line).split())
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        given = {word for word in rest if word.startswith("--")}
        assert given <= known, f"mayday {line}: {given - known} is not known"
    assert len(seen) > 12


def test_every_make_target_that_the_pages_name_exists_and_says_what_it_is() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {line.split()[0] for line in lines_of("make") if re.match(r"[a-z]+$", line.split()[0])}
    assert {"demo", "test"} <= named <= targets


def test_every_slash_command_that_the_pages_name_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    known = (*CATALOG, example_recovery.procedure(monkeypatch))
    named = {code for code in codes(all_text()) if re.match(rf"/({'|'.join(FAMILIES)})\b", code)}
    # On the stack of the manual, or on that of one of the examples.
    stacks = [MANUAL, *(Settings.model_validate(tomllib.loads(example)).stack() for example in examples())]
    absent = {code for code in named if all(isinstance(meaning(code, known, stack=s), UnknownCommand) for s in stacks)}
    assert not absent
    assert isinstance(meaning("/recover undo r1", CATALOG), RunCommand)
    assert len(named) > 8


@pytest.mark.parametrize("procedure", CATALOG, ids=lambda p: p.name)
def test_every_recovery_has_its_row_in_the_readme(procedure: Procedure) -> None:
    rows = re.findall(r"^\| `/(.+?)`", (ROOT / "README.md").read_text(), re.MULTILINE)
    asked = " ".join((command_of(procedure), procedure.words.usage)).strip()
    assert asked in rows, f"Write a row for `/{asked}` into the README, under What you can say."


def test_every_path_that_the_pages_name_exists() -> None:
    tops = "actions|bot|docs|lab|tests|workers"
    files = {code for code in codes(all_text()) if re.fullmatch(rf"(?:{tops})/[\w./-]*", code)}
    files |= {code for code in codes(all_text()) if re.fullmatch(r"(?:compose|manifest|mayday)\.(?:ya?ml|py)", code)}
    to_come = {file for file in example_recovery.new_files() if not (ROOT / file).exists()}
    assert {file for file in files if not (ROOT / file).exists()} == to_come


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_documented_settings_are_the_settings() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    chapters = re.split(r"^## ", text, flags=re.MULTILINE)
    documented = {
        title: dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", part, re.MULTILINE))
        for part in chapters
        for title in [re.split(r"[:\n]", part)[0].strip("`[] ")]
    }
    sections = {name: f.annotation for name, f in Settings.model_fields.items() if is_section(f.annotation)}
    assert set(documented["Top level"]) == set(Settings.model_fields) - set(sections)
    tables = {"services": ServiceTable, "sites": SiteTable, "schedules": ScheduleTable}
    for name, section in {**sections, **tables}.items():
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        assert set(documented[name]) == set(section.model_fields), name
        for field, info in section.model_fields.items():
            if isinstance(info.default, (str, int)):
                assert documented[name][field] == f"`{shown(info.default)}`", f"{name}.{field}"


def is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def shown(default: str | int) -> str:
    return json.dumps(default)


def examples() -> list[str]:
    return [block for page in PAGES for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.M | re.S)]


def test_the_example_settings_are_valid() -> None:
    for example in examples():
        Settings.model_validate(tomllib.loads(example))
    assert examples()


def test_the_example_of_two_servers_tells_of_both() -> None:
    told = [Settings.model_validate(tomllib.loads(example)).servers() for example in examples()]
    [both] = [servers for servers in told if "billing-db" in [one.postgres for one in servers]]
    assert [(one.postgres, one.database, one.writers) for one in both] == [
        ("nself-postgres", "nself_db", ("nself-hasura",)),
        ("billing-db", "billing", ("invoices",)),
    ]


def test_every_variable_of_the_environment_is_documented() -> None:
    source = (ROOT / "mayday.py").read_text()
    secrets = {variable for names in SECRETS.values() for variable in names.values()}
    read = {*secrets, *PLACES.values(), *re.findall(r'environ\.get\("(\w+)"', source)}
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.M))
    assert documented == read


def test_the_page_on_recovery_names_the_buttons_and_the_phases_as_they_are() -> None:
    text = (ROOT / "docs" / "recovery.md").read_text()
    pitr = CATALOG[0]
    labels = {option.label for step in pitr.steps if isinstance(step, Ask) for option in step.options}
    assert {label for label in labels if label not in text} == set()
    last = next(step.title for step in pitr.steps if isinstance(step, Act) and step.point_of_no_return)
    assert f'From "{last}" on' in text


def test_the_quoted_messages_are_said_by_the_code() -> None:
    told = (ROOT / "docs" / "recovery.md").read_text().split("## What the messages mean")[1]
    rows = re.findall(r"^\| ([^|`]+?\.?) \| [A-Z*]", told, re.M)
    folders = ("actions", "bot", "workers")
    source = " ".join(f.read_text() for folder in folders for f in sorted((ROOT / folder).rglob("*.py")))
    said = re.sub(r"\"\s+f?\"", "", source)
    pieces = [piece.strip() for row in rows for piece in row.split("…") if len(piece.strip()) > 8]
    assert [piece for piece in pieces if piece.rstrip(".") not in said] == []
    assert len(pieces) > 12


def test_the_changelog_names_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.findall(r"^## \[(.+?)\]", text, re.M)[:2] == ["Unreleased", mayday.VERSION]
    assert f'version = "{mayday.VERSION}"' in (ROOT / "pyproject.toml").read_text()
    assert f"mayday:{mayday.VERSION}" in (ROOT / "compose.yaml").read_text()


def test_the_readme_is_short_and_begins_with_what_it_is_and_a_picture() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= LONGEST_README
    assert any("docs/thread.png" in line for line in lines[:16])
    assert (ROOT / "docs" / "thread.png").stat().st_size <= 300_000


def test_the_glossary_is_made_of_words_that_the_code_uses() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "README.md").read_text(), re.M)
    source = " ".join(f.read_text().casefold().replace("_", " ") for f in (ROOT / "actions").rglob("*.py"))
    assert [word for word in words if word.split(",")[0].casefold() not in source] == []
    assert len(words) >= 15


def test_the_manifest_that_the_readme_sends_people_to_parses() -> None:
    assert yaml.safe_load((ROOT / "manifest.yml").read_text())["display_information"]["name"] == "Mayday"
