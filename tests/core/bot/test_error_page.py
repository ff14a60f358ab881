"""An error's code leads to what it means, in the terminal and in Slack; and it stands wherever an error is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from actions.engine.errors import Away, Busy, RecoveryError, Refused, error_said
from actions.engine.journal import Entry, Kind
from actions.engine.run_parts import Failure
from actions.incidents.story_lines import story_lines
from bot.dispatch import hear
from bot.replies import error_page
from bot.runs.requests import Origin
from bot.terminal import error_lookup
from bot.terminal.run_shown import line_of
from bot.views import report
from tests.support.bot_world import CHANNEL, START, office_in

PAGE = """# Errors

### MD-PG-001

**The WAL \\*‹name›* is missing.**

It means this.

What to do, by what was seen:

- Wait for \\*_before_\\*.
- Look.

*Refused. actions/x.py*

### MD-PG-012

**Other.**

What to do: Nothing.

*actions/y.py*

## Retired

- `MD-PG-003`: Gone.
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at = tmp_path / "errors.md"
    at.write_text(PAGE)
    monkeypatch.setattr(error_page, "PAGES", (tmp_path / "nowhere.md", at))
    return at


@pytest.mark.parametrize("said", ["MD-PG-001", "md-pg-1", "[MD-PG-001]", "mdpg001", "`MD-PG-001`."])
def test_a_code_is_found_however_it_is_written(small: Path, said: str) -> None:
    found = error_page.entry(said)
    assert found.code == "MD-PG-001"
    assert found.message == "The WAL *‹name›* is missing."
    assert (
        found.help
        == "It means this.\nWhat to do, by what was seen:\n- Wait for *_before_*.\n- Look.\nRefused. actions/x.py"
    )


@pytest.mark.parametrize("said", ["MD-PG-002", "MD-PG-0012", "postgres", ""])
def test_a_code_that_there_is_not_is_refused(small: Path, said: str) -> None:
    with pytest.raises(Refused, match="No error has the code"):
        error_page.entry(said)


def test_a_retired_code_says_where_to_look(small: Path) -> None:
    found = error_page.entry("MD-PG-003")
    assert found.message == "Gone."
    assert "docs/errors.md of the version that said it" in found.help


def test_an_installation_without_the_page_says_so(small: Path) -> None:
    small.unlink()
    with pytest.raises(Refused, match="not part of this installation"):
        error_page.entries()


def test_the_project_s_own_page_is_read_whole() -> None:
    text = error_page.PAGES[0].read_text()
    found = error_page.entries()
    now, _, gone = text.partition("\n## Retired\n")
    living = [line[4:] for line in now.splitlines() if line.startswith("### ")]
    retired = [line[3:].partition("`")[0] for line in gone.splitlines() if line.startswith("- `MD-")]
    assert [one.code for one in found] == [*living, *retired]
    assert [one.code for one in found if one.code in living and "What to do" not in one.help] == []


def run(*words: str) -> str:
    # A command of its own beside others, as mayday has it.
    app = typer.Typer()
    app.command("errors")(error_lookup.errors)
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_terminal_shows_one_or_all(small: Path) -> None:
    assert run("MD-PG-012") == "MD-PG-012: Other.\nWhat to do: Nothing.\nactions/y.py\n"
    assert run().splitlines() == [
        "MD-PG-001  The WAL *‹name›* is missing.",
        "MD-PG-012  Other.",
        "MD-PG-003  Gone.",
    ]
    assert json.loads(run("md-pg-12", "--json")) == [
        {"code": "MD-PG-012", "error": "Other.", "help": "What to do: Nothing.\nactions/y.py"}
    ]


def test_an_error_tells_its_code_once_behind_what_happened() -> None:
    error = RecoveryError("It broke.", code="MD-RUN-999", detail="Seen.", hint="Mend it.")
    assert error.words() == "It broke. [MD-RUN-999]\nSeen.\nMend it."
    assert error.words(" ") == "It broke. [MD-RUN-999] Seen. Mend it."
    assert RecoveryError("It broke.").words() == "It broke."
    assert str(error) == "It broke."


def test_every_kind_of_error_takes_a_code() -> None:
    assert Busy("Held.", run="r1", code="MD-RUN-999").as_json()["code"] == "MD-RUN-999"
    assert Away("Away.", code="MD-DK-999").said == "Away. [MD-DK-999]"


def test_an_error_of_a_journal_is_told_with_its_code_and_one_from_before_without() -> None:
    kept = RecoveryError("It broke.", code="MD-RUN-999").as_json()
    assert error_said(kept) == "It broke. [MD-RUN-999]"
    del kept["code"]
    assert error_said(kept) == "It broke."
    assert error_said({}) == ""


def test_slack_and_the_terminal_answer_to_the_code_in_a_word_of_help(small: Path) -> None:
    office = office_in()
    told = hear(office.bot, "help md-pg-1", Origin("t1", "U0ONCALL", "T1", CHANNEL)).text
    assert told.startswith("MD-PG-001: The WAL *‹name›* is missing.\nIt means this.\n")
    assert "MD-PG-012" not in told
    again = hear(office.bot, "help md-pg-2", Origin("t2", "U0ONCALL", "T1", CHANNEL)).text
    assert again.startswith("No error has the code md-pg-2. [MD-")
    assert "/recover status" in hear(office.bot, "help", Origin("t3", "U0ONCALL", "T1", CHANNEL)).text


FAILED = {"title": "copy", **RecoveryError("Full & over.", code="MD-DK-999", detail="a\nb", hint="Mend.").as_json()}
BEFORE = {name: said for name, said in FAILED.items() if name != "code"}


def entry_of(data: dict[str, str]) -> Entry:
    return Entry("r1", 3, START, Kind.FAILED, 1, data)


@pytest.mark.parametrize(
    "told",
    [
        lambda data: report.trouble(data),
        lambda data: json.dumps(report.failed(entry_of(data), None)),
        lambda data: line_of(entry_of(data)),
        lambda data: next(story_lines([entry_of(data)], "")).text,
    ],
    ids=["errand and report", "thread", "terminal", "document"],
)
def test_what_failed_is_told_with_its_code_once_and_one_of_an_old_journal_without(
    told: Callable[[dict[str, str]], str],
) -> None:
    assert told(FAILED).count("over. [MD-DK-999]") == 1
    assert "over." in told(BEFORE)
    assert "[MD" not in told(BEFORE)


def test_what_a_run_waits_for_knows_the_code_from_its_journal() -> None:
    assert Failure(1, "It broke.", "", "", code="MD-RUN-999").said == "It broke. [MD-RUN-999]"
    assert Failure(1, "It broke.", "", "").said == "It broke."
