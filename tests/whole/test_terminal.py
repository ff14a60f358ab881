"""Slack and the queue are unplugged: two people recover by terminal, and the thread tells it all afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actions.engine.journal import Kind
from lab import company
from lab.operators import settings as trained
from tests.support.other_users import (
    ANA,
    BO,
    enrol_as,
    needs_root,
    next_code,
    operators,
    run_as,
    share_store,
    shared_folder,
)
from tests.support.practice import Practice, practice_company

pytestmark = [pytest.mark.whole, needs_root]
PAUSE = "Pause writers and restore"
ASKS, ROOT = 3, 0


@dataclass
class Host:
    """The practice company's host as its operators use it: `mayday` in a shell of their own."""

    practice: Practice
    config: Path
    secret: str = ""

    def mayday(self, uid: int, *words: str, code: int = 0) -> Any:
        """What a command says with --json; its exit code must be that one."""
        share_store(self.practice.lab.root)
        said = run_as(uid, "-m", "mayday", *words, "--config", str(self.config), "--json", seconds=400)
        assert said.returncode == code, said.stdout + said.stderr
        assert said.stderr == ""
        return json.loads(said.stdout)

    def recover(self, asker: int) -> str:
        """A whole point-in-time recovery by the commands of a terminal; the id of the run."""
        asked = self.mayday(asker, "recover", "postgres", "pitr", self.practice.now(), "--follow", code=ASKS)
        run = str(asked["run"])
        assert PAUSE in asked["labels"]
        preview = self.mayday(asker, "answer", run, PAUSE, "--type", asked["question"]["plan"], "--follow", code=ASKS)
        assert "Cut over" in preview["labels"]
        plan = preview["question"]["plan"]
        alone = self.mayday(asker, "approve", run, "--type", plan, "--code", "000000", code=1)
        assert "does not approve it alone" in alone["error"]
        done = self.mayday(BO, "approve", run, "--type", plan, "--code", next_code(self.secret), "--follow")
        assert done["state"] == "recovered"
        return run


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """One company in a folder that other users reach; a third operator is root, who may speak to Docker."""
    with shared_folder("host") as folder, practice_company(folder, "mta-term") as practice:
        config = folder / "terminal.toml"
        root = '\n[[operators.people]]\nid = "cy"\nname = "Cy"\nos_users = ["0"]\nmay_approve = true\n'
        told, theirs = company.settings_file(practice.lab).read_text(), trained(practice.lab)
        assert theirs in told
        # These operators take the place of those with whom people practise.
        config.write_text(told.replace(theirs, "") + operators(folder / "keys") + root)
        made = Host(practice, config)
        share_store(practice.lab.root)
        made.secret = enrol_as(BO, "-m", "mayday", "operator", "enrol", "--config", str(config))
        yield made


@pytest.fixture(autouse=True)
def _unplugged(host: Host) -> Iterator[None]:
    """Neither Slack nor the queue during a test; both are back afterwards, whatever happened."""
    host.practice.room.fault("down")
    host.practice.docker("stop", "-t", "0", host.practice.lab.queue)
    yield
    plug_in(host.practice)


def plug_in(practice: Practice) -> None:
    practice.docker("start", practice.lab.queue)
    practice.room.fault("off")


def test_two_people_recover_by_terminal_while_slack_and_redis_are_away_and_the_thread_has_it_all(host: Host) -> None:
    practice = host.practice
    away = host.mayday(ANA, "slack-status", code=1)
    assert {part["name"] for part in away if part["away"]} == {"Slack", "Redis"}
    run = host.recover(ANA)
    practice.assert_recovered(run)
    answers = [e.data for e in practice.store.entries(run) if e.kind is Kind.ANSWERED]
    assert [(a["by"], a["option"]) for a in answers] == [("U0ONCALL", PAUSE), ("operator:bo", "Cut over")]
    plug_in(practice)
    practice.assert_thread_complete(run)
    texts = practice.thread_texts(run)
    assert "in a terminal" in texts[0]
    assert sum("Bo chose *Cut over*" in text for text in texts[1:]) == 1


def test_with_no_worker_either_the_terminal_carries_the_recovery_out_itself(host: Host) -> None:
    """Who asks is root here, because whoever carries a run out needs Docker; who approves only speaks."""
    practice = host.practice
    practice.kill("worker")
    practice.until(lambda: not host.mayday(ANA, "recover", "status")["workers"], 30, "the worker is known to be dead")
    try:
        asked = host.mayday(ROOT, "recover", "postgres", "pitr", practice.now(), code=ASKS)
        run = str(asked["run"])
        preview = host.mayday(ROOT, "answer", run, PAUSE, "--type", asked["question"]["plan"], code=ASKS)
        plan, used = preview["question"]["plan"], next_code(host.secret)
        practice.until(lambda: next_code(host.secret) != used, 40, "a code that was not used before")
        told = host.mayday(BO, "approve", run, "--type", plan, "--code", next_code(host.secret))
        assert (told["state"], told["error"]) == ("running", None)
        done = run_as(ROOT, "-m", "mayday", "carry-out", run, "--config", str(host.config), seconds=400)
        assert done.stdout == f"run {run}: finished\n", done.stdout + done.stderr
        practice.assert_recovered(run)
    finally:
        practice.start("worker")
    plug_in(practice)
    practice.assert_thread_complete(run)
