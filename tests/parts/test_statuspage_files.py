"""The status page of plain files, alone and in a git checkout with a remote."""

from __future__ import annotations

import json
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.engine.errors import Away, RecoveryError
from actions.incidents.public_text import clean, stands
from actions.tools.outside import Draft
from workers.statuspage import cstate
from workers.statuspage.page_files import FilesPage

START = datetime(2026, 2, 9, 14, 30, tzinfo=UTC)
DRAFT = Draft(
    "INC-42",
    "Messages are missing",
    "investigating",
    "We are looking into it.",
    "critical",
    {"Messages": "major_outage"},
)
MONITORING = replace(
    DRAFT, status="monitoring", text="It is back.", impact="minor", components={"Messages": "degraded_performance"}
)
RESOLVED = replace(DRAFT, status="resolved", text="It is over.", components={})
TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200).map(clean).filter(bool)


class Minutes:
    """A clock that goes on by a minute each time somebody looks."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


def page_in(path: Path, **more: Any) -> FilesPage:
    return FilesPage(path, Minutes(), "https://status.example", ("API", "Messages"), **more)


def git(path: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main")
    command = ["git", "-C", str(path), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def front_matter(path: Path) -> dict[str, Any]:
    (file,) = path.glob("**/issues/*.md")
    front: dict[str, Any] = yaml.safe_load(file.read_text().split("---\n")[1])
    return front


def summary(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((path / "status.json").read_text())
    return said


def test_a_report_has_cstates_front_matter_and_its_updates_newest_first(tmp_path: Path) -> None:
    page = page_in(tmp_path)
    page.publish(DRAFT)
    front = front_matter(tmp_path)
    assert {k: front[k] for k in ("title", "resolved", "severity", "affected", "section")} == {
        "title": "Messages are missing",
        "resolved": False,
        "severity": "down",
        "affected": ["Messages"],
        "section": "issue",
    }
    assert front["date"] == START + timedelta(minutes=1)
    page.publish(MONITORING)
    done = page.publish(RESOLVED)
    front = front_matter(tmp_path)
    assert (front["resolved"], front["resolvedWhen"], front["severity"]) == (True, START + timedelta(minutes=3), "down")
    (file,) = (tmp_path / "issues").iterdir()
    body = file.read_text().split("---\n")[2]
    assert body.index("It is over.") < body.index("It is back.") < body.index("We are looking into it.")
    assert '*Monitoring* - It is back. {{< track "2026-02-09 14:32:00" >}}' in body
    assert (done.updates, done.status, done.url) == (3, "resolved", f"https://status.example/issues/{file.stem}/")
    assert page.find("INC-42") == done


def test_status_json_says_how_things_are_to_whoever_has_nothing_but_a_file(tmp_path: Path) -> None:
    page = page_in(tmp_path)
    page.publish(DRAFT)
    page.publish(replace(DRAFT, incident="INC-43", components={"Messages": "partial_outage", "Search": "operational"}))
    said = summary(tmp_path)
    assert (said["status"], said["components"]["Messages"], said["components"]["API"]) == (
        "major_outage",
        "major_outage",
        "operational",
    )
    page.publish(RESOLVED)
    assert summary(tmp_path)["components"]["Messages"] == "partial_outage"
    page.publish(replace(RESOLVED, incident="INC-43"))
    said = summary(tmp_path)
    assert (said["status"], set(said["components"].values())) == ("operational", {"operational"})
    assert [i["status"] for i in said["incidents"]] == ["resolved", "resolved"]


def test_the_same_status_and_text_leave_no_trace(tmp_path: Path) -> None:
    page = page_in(tmp_path)
    once = page.publish(DRAFT)
    before = {p: (p.stat().st_mtime_ns, p.read_text()) for p in tmp_path.rglob("*") if p.is_file()}
    assert page.publish(DRAFT) == once
    assert {p: (p.stat().st_mtime_ns, p.read_text()) for p in tmp_path.rglob("*") if p.is_file()} == before


def test_what_a_person_wrote_below_the_updates_stays(tmp_path: Path) -> None:
    page = page_in(tmp_path)
    page.publish(DRAFT)
    (file,) = (tmp_path / "issues").iterdir()
    file.write_text(file.read_text() + "\nWritten by hand.\n")
    page.publish(MONITORING)
    assert file.read_text().rstrip().endswith("Written by hand.")
    (tmp_path / "issues" / "by-hand.md").write_text("---\ntitle: Ours not\n---\nText\n")
    assert page.publish(RESOLVED).updates == 3


def test_neither_html_nor_a_command_of_hugo_comes_from_a_text(tmp_path: Path) -> None:
    typed = replace(DRAFT, text='<script>alert(1)</script> {{< readfile "/etc/passwd" >}} {{% x %}}')
    page = page_in(tmp_path)
    page.publish(typed)
    (file,) = (tmp_path / "issues").iterdir()
    body = file.read_text().split("---\n")[2]
    assert "<script" not in body
    assert body.count("{{") == 1
    assert stands(typed, page.find("INC-42"))


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT.map(lambda text: " ".join(text.split())).filter(bool))
def test_any_text_is_read_back_as_it_was_written_and_is_yaml(text: str, title: str) -> None:
    draft = replace(DRAFT, title=title, text=text)
    report = cstate.updated(cstate.begun(draft, START), draft, START)
    written = cstate.render(report)
    assert cstate.parse(written, "x.md") == report
    if all(ord(c) < 0xD800 and c.isprintable() for c in title + text):
        assert yaml.safe_load(written.split("\n---\n")[0].removeprefix("---\n"))["title"] == title


@pytest.mark.parametrize("incident", ["../../etc/passwd", "Q1 Ω/..", "-rf", "a" * 300, "inc:1\n2"])
def test_an_odd_id_stays_in_its_directory(tmp_path: Path, incident: str) -> None:
    page = page_in(tmp_path)
    page.publish(replace(DRAFT, incident=incident))
    page.publish(replace(DRAFT, incident=f"{incident}!"))
    assert len(list((tmp_path / "issues").iterdir())) == 2
    assert page.find(incident)


def test_a_directory_that_is_not_there_or_a_broken_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecoveryError) as gone:
        page_in(tmp_path / "nowhere").publish(DRAFT)
    assert "nowhere" in gone.value.hint
    page = page_in(tmp_path)
    page.publish(DRAFT)
    (file,) = (tmp_path / "issues").iterdir()
    file.write_text(file.read_text().replace('mayday: {"', 'mayday: {"x'))
    with pytest.raises(RecoveryError, match="cannot be read any more") as broken:
        page.find("INC-42")
    assert broken.value.hint


def test_two_who_publish_at_once_make_one_report(tmp_path: Path) -> None:
    pages = [page_in(tmp_path) for _ in range(6)]
    threads = [threading.Thread(target=page.publish, args=(DRAFT,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = pages[0].find("INC-42")
    assert found
    assert found.updates == 1


# In a checkout ------------------------------------------------------------------------------------------


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    bare = tmp_path / "remote.git"
    bare.mkdir()
    git(bare, "init", "--bare", "--quiet")
    seed = tmp_path / "seed"
    git(tmp_path, "clone", "--quiet", str(bare), str(seed))
    (seed / "content").mkdir()
    (seed / "content" / "_index.md").write_text("The page.\n")
    git(seed, "add", ".")
    git(seed, "commit", "--quiet", "-m", "Begin")
    git(seed, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    return bare


@pytest.fixture
def checkout(remote: Path, tmp_path: Path) -> Path:
    path = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", "--branch", "main", str(remote), str(path))
    return path


def subjects(repository: Path, branch: str = "main") -> list[str]:
    return git(repository, "log", "--format=%s", branch).splitlines()


@pytest.mark.parts
def test_each_update_is_a_commit_that_is_pushed(remote: Path, checkout: Path) -> None:
    page = page_in(checkout)
    (checkout / "draft.txt").write_text("Somebody is working here.\n")
    git(checkout, "add", "draft.txt")
    for draft in (DRAFT, DRAFT, MONITORING):
        page.publish(draft)
    assert subjects(remote) == ["Monitoring: Messages are missing", "Investigating: Messages are missing", "Begin"]
    kept = git(remote, "show", "--name-only", "--format=", "main").split()
    assert kept == ["content/issues/mayday-inc-42-" + kept[0][-9:], "static/status.json"]
    assert git(checkout, "status", "--porcelain") == "A  draft.txt\n"
    assert stands(MONITORING, page.find("INC-42"))


@pytest.mark.parts
def test_a_push_that_fails_is_away_and_is_made_good_later(remote: Path, checkout: Path) -> None:
    page, hidden = page_in(checkout), remote.with_name("gone.git")
    remote.rename(hidden)
    with pytest.raises(Away, match="could not be pushed") as away:
        page.publish(DRAFT)
    assert "git push" in away.value.hint
    assert page.find("INC-42") is None, "the public does not have it"
    hidden.rename(remote)
    assert page.publish(DRAFT).updates == 1
    assert stands(DRAFT, page.find("INC-42"))
    assert len(subjects(remote)) == 2


@pytest.mark.parts
def test_somebody_elses_push_comes_first_and_is_kept(remote: Path, checkout: Path, tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    (seed / "content" / "about.md").write_text("About us.\n")
    git(seed, "add", ".")
    git(seed, "commit", "--quiet", "-m", "About")
    git(seed, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    page_in(checkout).publish(DRAFT)
    assert subjects(remote) == ["Investigating: Messages are missing", "About", "Begin"]


@pytest.mark.parts
def test_a_conflict_is_left_to_people_with_the_checkout_as_it_was(remote: Path, checkout: Path, tmp_path: Path) -> None:
    page_in(checkout).publish(DRAFT)
    seed = tmp_path / "seed"
    git(seed, "pull", "--quiet", "origin", "main")
    (seed / "static" / "status.json").write_text("{}\n")
    git(seed, "commit", "--quiet", "-am", "By hand")
    git(seed, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    with pytest.raises(Away, match="could not be pushed"):
        page_in(checkout).publish(MONITORING)
    assert subjects(checkout)[0] == "Monitoring: Messages are missing"
    assert not (checkout / ".git" / "rebase-merge").exists()
    assert subjects(remote)[0] == "By hand"


@pytest.mark.parts
def test_without_a_remote_the_commit_is_enough(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    page = page_in(tmp_path)
    page.publish(DRAFT)
    assert stands(DRAFT, page.find("INC-42"))
    assert git(tmp_path, "log", "--format=%an %s") == "Mayday Investigating: Messages are missing\n"


@pytest.mark.parts
def test_a_directory_inside_of_another_checkout_is_not_committed_there(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    inner = tmp_path / "status"
    inner.mkdir()
    page_in(inner).publish(DRAFT)
    assert git(tmp_path, "status", "--porcelain") == "?? status/\n"


@pytest.mark.parts
def test_killed_before_the_commit_it_is_committed_at_the_next_attempt(remote: Path, checkout: Path) -> None:
    page = page_in(checkout)
    lock = checkout / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(RecoveryError, match="git could not keep") as stuck:
        page.publish(DRAFT)
    assert "index.lock" in stuck.value.hint
    assert page.find("INC-42") is None
    lock.unlink()
    page.publish(DRAFT)
    assert subjects(remote)[0] == "Investigating: Messages are missing"
    assert stands(DRAFT, page.find("INC-42"))
