"""On a page of files a component goes back to what a report of somebody else makes of it, not to operational."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actions.tools.outside import Draft
from workers.statuspage.page_files import FilesPage

AT = datetime(2026, 2, 9, 14, 30, tzinfo=UTC)
DRAFT = Draft("i1", "Messages are missing", "investigating", "We look.", "critical", {"Messages": "major_outage"})
OVER = replace(DRAFT, status="resolved", text="It is over.", components={})
THEIRS = "---\ntitle: Work on the disks\nresolved: {resolved}\nseverity: {severity}\n{affected}\n---\nx\n"
LISTS = ("affected:\n  - Messages", 'affected: ["Messages", "API"]', "affected: [Messages]")


def shown(path: Path) -> dict[str, str]:
    return dict(json.loads((path / "status.json").read_text())["components"])


@pytest.mark.parametrize(
    "affected", ["affected:\n  - Messages", 'affected: ["Messages", "API"]', "affected: [Messages]"]
)
@pytest.mark.parametrize(
    ("severity", "status"),
    [("notice", "under_maintenance"), ("disrupted", "partial_outage"), ("down", "major_outage")],
)
def test_a_component_goes_back_to_what_somebody_else_says_of_it(
    tmp_path: Path, severity: str, status: str, affected: str
) -> None:
    (tmp_path / "issues").mkdir()
    theirs = tmp_path / "issues" / "disks.md"
    theirs.write_text(THEIRS.format(resolved="false", severity=severity, affected=affected))
    page = FilesPage(tmp_path, lambda: AT, "", ("API", "Messages"))
    page.publish(DRAFT)
    assert shown(tmp_path)["Messages"] == "major_outage"
    page.publish(OVER)
    assert shown(tmp_path)["Messages"] == status
    theirs.write_text(THEIRS.format(resolved="true", severity=severity, affected=affected))
    page.publish(replace(DRAFT, incident="i2"))
    page.publish(replace(OVER, incident="i2"))
    assert shown(tmp_path) == {"API": "operational", "Messages": "operational"}


def test_the_summary_says_how_many_older_incidents_it_leaves_out(tmp_path: Path) -> None:
    page = FilesPage(tmp_path, lambda: AT)
    for number in range(32):
        page.publish(replace(DRAFT, incident=f"i{number}"))
    said = json.loads((tmp_path / "status.json").read_text())
    assert (len(said["incidents"]), said["older_incidents"]) == (30, 2)
