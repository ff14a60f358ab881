"""The words in a terminal: the same journal, the same rules, and what only a terminal asks for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actions.control import answers
from actions.engine.errors import RecoveryError, Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Act, Look, Risk
from actions.engine.rights import Speaker
from actions.store import notes
from bot.terminal.follow_run import Code
from tests.support.terminal_world import Terminal, answering_redis

pytestmark = pytest.mark.parts  # Whole commands, which wait for threads and ask closed ports, as people's do.


@pytest.fixture
def terminal(memory_path: Path) -> Terminal:
    return Terminal(memory_path)


@pytest.fixture
def asked(terminal: Terminal) -> Terminal:
    """Ana asked for paint; the run waits for the second person."""
    terminal.a_worker_lives()
    terminal.typed("ana", "recover", "paint", "red")
    terminal.work()
    terminal.typed("ana", "answer", terminal.run.id, "Yes", "--type", terminal.plan)
    terminal.work()
    return terminal


def refusal(result: Any) -> Refused:
    assert isinstance(result.exception, Refused), result.output
    return result.exception


def test_a_run_is_asked_for_in_the_words_of_slack_and_a_worker_is_rung_for(terminal: Terminal) -> None:
    terminal.a_worker_lives()
    said = terminal.typed("ana", "recover", "paint", "red")
    run = terminal.run
    assert terminal.rung == [run.id]
    assert (run.requester, run.request["colour"]) == ("U0ONCALL", "red")
    assert run.origin["sink"] == "terminal"
    assert f"Run {run.id}: Paint nself-postgres red." in said.stderr
    assert said.stdout == ""
    assert said.exit_code == 0


def test_the_head_says_what_is_away_and_json_has_no_head(terminal: Terminal) -> None:
    said = terminal.typed("ana", "runs")
    assert said.stderr.startswith("Away: Slack, Redis, worker.")
    terminal.a_worker_lives()
    assert "There: worker." in terminal.typed("ana", "runs").stderr
    quiet = terminal.typed("ana", "runs", "--json")
    assert (json.loads(quiet.stdout), quiet.stderr) == ([], "")


def test_slack_status_names_each_part_and_its_exit_code_tells(terminal: Terminal) -> None:
    found = terminal.type("ana", "slack-status", "--json")
    parts = {part["name"]: part["away"] for part in json.loads(found.stdout)}
    assert parts == {"Slack": True, "PagerDuty": None, "Redis": True, "worker": True}
    assert found.exit_code == 1


def test_help_and_typos_are_answered_as_in_slack(terminal: Terminal) -> None:
    assert "mayday recover paint <colour>" in terminal.typed("ana", "recover").stdout
    wrong = refusal(terminal.type("ana", "recover", "pain", "red"))
    assert "Did you mean mayday recover paint red?" in wrong.hint
    assert terminal.store.runs() == []


def test_the_plan_is_shown_with_its_hash_and_how_to_answer(asked: Terminal) -> None:
    asked.typed("ana", "undo", asked.run.id)
    asked.work()
    asked.typed("ana", "recover", "paint", "blue")
    asked.work()
    shown = asked.typed("ana", "show", asked.run.id)
    assert "Bricks" in shown.stdout
    assert f"plan {asked.plan}" in shown.stdout
    assert "Yes: who asked, or who may approve, typing the plan's hash." in shown.stdout
    told = asked.json("ana", "show", asked.run.id)
    assert told["question"]["plan"] == asked.plan
    assert {"run", "state", "labels", "entries"} <= set(told)


def test_the_hash_is_typed_back_for_what_destroys(terminal: Terminal) -> None:
    terminal.a_worker_lives()
    terminal.typed("ana", "recover", "paint")
    terminal.work()
    wrong = refusal(terminal.type("ana", "answer", terminal.run.id, "Yes", "--type", "nself-postgres"))
    assert "not the hash" in wrong.message
    assert terminal.plan not in wrong.message + wrong.detail + wrong.hint
    assert refusal(terminal.type("ana", "answer", terminal.run.id, "Yes")).hint == "Say it with --type."
    terminal.typed("ana", "answer", terminal.run.id, "yes", stdin=f"{terminal.plan}\n")
    assert terminal.run.answered
    assert terminal.run.answered["option"] == "Yes"


def test_going_back_needs_no_hash(terminal: Terminal) -> None:
    terminal.a_worker_lives()
    terminal.typed("ana", "recover", "paint")
    terminal.work()
    terminal.typed("ana", "answer", terminal.run.id, "No")
    terminal.work()
    assert terminal.typed("ana", "show", terminal.run.id, "--follow").exit_code == 0


def test_a_second_operator_approves_with_a_code_and_the_story_is_told(asked: Terminal) -> None:
    secret = asked.enrol("bo")
    run = asked.run.id
    said = asked.typed("bo", "approve", run, "--type", asked.plan, "--code", asked.code(secret))
    assert f"Run {run}: Varnish." in said.stderr
    asked.work()
    assert asked.run.finished == "recovered"
    entry = [e for e in asked.store.entries(run) if e.kind is Kind.ANSWERED][-1]
    assert (entry.data["by"], entry.data["via"]) == ("operator:bo", "in a terminal")
    assert asked.typed("ana", "show", run, "--follow").exit_code == Code.GOOD


def test_the_same_person_in_slack_and_in_the_terminal_never_approves_alone(asked: Terminal) -> None:
    asked.rights["ana"]["may_approve"] = True
    secret = asked.enrol("ana")
    wrong = refusal(asked.type("ana", "approve", asked.run.id, "--type", asked.plan, "--code", asked.code(secret)))
    assert "does not approve it alone" in wrong.message
    oncall = Speaker("U0ONCALL", "oncall", may_ask=True, may_approve=True)
    assert asked.run.question
    with pytest.raises(Refused, match="does not approve it alone"):
        answers.answer(asked.store, asked.run.id, asked.run.question.n, "Varnish", oncall, "nself-postgres")


def test_a_refused_approval_spends_no_code(asked: Terminal) -> None:
    secret = asked.enrol("bo")
    code = asked.code(secret)
    assert refusal(asked.type("bo", "approve", asked.run.id, "--type", "00000000", "--code", code))
    asked.typed("bo", "approve", asked.run.id, "--type", asked.plan, "--code", code)


def test_a_code_counts_once(asked: Terminal) -> None:
    secret = asked.enrol("bo")
    code = asked.code(secret)
    asked.typed("bo", "approve", asked.run.id, "--type", asked.plan, "--code", code)
    asked.work()
    asked.typed("ana", "recover", "paint", "blue")
    asked.work()
    asked.typed("ana", "answer", asked.run.id, "Yes", "--type", asked.plan)
    asked.work()
    again = refusal(asked.type("bo", "approve", asked.run.id, "--type", asked.plan, "--code", code))
    assert "used already" in again.message
    assert asked.run.asking


@pytest.mark.parametrize(("who", "why"), [("cy", "may not approve"), ("nobody", "may not use")])
def test_who_may_not_gets_nowhere(asked: Terminal, who: str, why: str) -> None:
    assert why in refusal(asked.type(who, "approve", asked.run.id, "--code", "123456")).message
    assert "may not" in refusal(asked.type(who, "recover", "paint")).message
    assert asked.run.asking


def test_an_approver_without_codes_is_told_to_enrol(asked: Terminal) -> None:
    wrong = refusal(asked.type("bo", "approve", asked.run.id, "--type", asked.plan, "--code", "123456"))
    assert wrong.hint.endswith("mayday operator enrol")


def test_approve_is_for_approvals_alone(terminal: Terminal) -> None:
    terminal.a_worker_lives()
    terminal.typed("ana", "recover", "paint")
    terminal.work()
    assert "does not wait for the approval" in refusal(terminal.type("bo", "approve", terminal.run.id)).message
    assert "is not an answer" in refusal(terminal.type("bo", "answer", terminal.run.id, "Perhaps")).message


def test_without_redis_and_worker_the_run_is_carried_out_here_until_it_asks(terminal: Terminal) -> None:
    said = terminal.typed("ana", "recover", "paint", "red")
    assert said.exit_code == Code.ASKS
    assert "Bricks" in said.stdout
    assert f"mayday answer {terminal.run.id} 'Yes'" in said.stderr
    said = terminal.typed("ana", "answer", terminal.run.id, "Yes", "--type", terminal.plan)
    assert terminal.house.paint == "red"
    assert f"mayday approve {terminal.run.id}" in said.stderr
    secret = terminal.enrol("bo")
    said = terminal.typed("bo", "approve", terminal.run.id, "--type", terminal.plan, "--code", terminal.code(secret))
    assert said.exit_code == Code.GOOD
    assert terminal.run.finished == "recovered"


def test_hands_that_break_for_an_unforeseen_reason_are_said_and_not_tried_for_ever(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(run: str) -> str:
        raise KeyError("colour")

    monkeypatch.setattr("workers.runner.leased_runner.LeasedRunner.carry_out", lambda loop, run: breaks(run))
    trouble = terminal.type("ana", "recover", "paint", "red").exception
    assert isinstance(trouble, RecoveryError)
    assert "did not foresee" in trouble.message
    assert "KeyError" in trouble.detail
    assert trouble.hint.endswith(f"mayday carry-out {terminal.run.id}")


def test_with_a_queue_and_no_worker_only_foreground_carries_it_out(terminal: Terminal) -> None:
    with answering_redis() as terminal.redis:
        said = terminal.typed("ana", "recover", "paint", "red")
    assert "mayday carry-out" in said.stderr
    assert terminal.house.did == []
    assert terminal.typed("ana", "show", terminal.run.id).exit_code == 0
    assert terminal.run.question is None


def test_while_a_terminal_has_the_run_in_its_hands_another_only_answers(terminal: Terminal) -> None:
    terminal.typed("ana", "recover", "paint", "red")
    notes.carries_in_foreground(terminal.store, terminal.run.id, {"by": "Ana"})
    said = terminal.typed("ana", "answer", terminal.run.id, "Yes", "--type", terminal.plan)
    assert said.exit_code == 0
    assert terminal.house.paint == "white"


def test_an_approver_without_docker_approves_and_fails_nothing(terminal: Terminal) -> None:
    terminal.typed("ana", "recover", "paint", "red")
    terminal.typed("ana", "answer", terminal.run.id, "Yes", "--type", terminal.plan)
    secret, terminal.docker = terminal.enrol("bo"), False
    said = terminal.typed("bo", "approve", terminal.run.id, "--type", terminal.plan, "--code", terminal.code(secret))
    assert said.exit_code == 0
    assert "It is not carried out here. Docker does not answer this user." in said.stderr
    assert f"mayday carry-out {terminal.run.id}" in said.stderr
    assert terminal.run.answered
    assert terminal.run.failure is None


def test_another_time_begins_a_new_run_once_the_old_one_is_taken_back(asked: Terminal) -> None:
    asked.clock.on(60)  # The worker has died; this terminal does both.
    old = asked.run.id
    said = asked.typed("ana", "answer", old, "Another colour", "--type", "green")
    assert asked.store.run(old).finished == "discarded"
    assert asked.run.id != old
    assert asked.run.request["colour"] == "green"
    assert said.exit_code == Code.ASKS
    assert asked.run.requester == "U0ONCALL"


def test_a_failure_is_told_with_what_to_do_and_retried(terminal: Terminal) -> None:
    terminal.typed("ana", "recover", "paint", "red")
    terminal.house.fails = {"paint": Refused("The brush broke.", hint="Buy one.")}
    said = terminal.typed("ana", "answer", terminal.run.id, "Yes", "--type", terminal.plan)
    assert said.exit_code == Code.FAILED
    assert "The brush broke." in said.stdout
    assert f"mayday retry {terminal.run.id}" in said.stderr
    terminal.house.fails = {}
    assert terminal.typed("ana", "retry", terminal.run.id).exit_code == Code.ASKS
    assert terminal.typed("ana", "undo", terminal.run.id).exit_code == Code.GOOD
    assert terminal.run.finished == "undone"


def test_json_is_one_document_and_nothing_else(terminal: Terminal) -> None:
    said = terminal.type("ana", "recover", "paint", "red", "--json")
    told = json.loads(said.stdout)
    assert said.stderr == ""
    assert told["state"] == "asking"
    assert told["labels"] == ["Yes", "No"]
    assert told["sheets"][0]["title"] == "Wall"
    assert terminal.json("ana", "recover", "status")["runs"][0]["run"] == told["run"]


def test_a_look_is_waited_for_and_its_exit_code_tells(terminal: Terminal) -> None:
    paint = terminal.catalog[0]
    window = replace(
        paint,
        name="wall window",
        risk=Risk.READS,
        claims=False,
        ends=paint.ends,
        words=replace(paint.words, command="window"),
        steps=tuple(s for s in paint.steps if isinstance(s, Look))[:1],
    )
    assert not any(isinstance(s, Act) for s in window.steps)
    terminal.catalog = (paint, window)
    assert terminal.typed("ana", "window").exit_code == Code.GOOD
    terminal.house.bricks = 0
    said = terminal.typed("ana", "window")
    assert said.exit_code == Code.ENDED
    assert "There is no wall." in said.stdout


def test_follow_without_anybody_to_carry_it_out_gives_up(terminal: Terminal) -> None:
    terminal.a_worker_lives()
    terminal.typed("ana", "recover", "paint")
    terminal.clock.on(60)
    said = terminal.typed("ana", "show", terminal.run.id, "--follow")
    assert said.exit_code == Code.NO_WORKER
    assert f"mayday carry-out {terminal.run.id}" in said.stderr


@pytest.mark.parametrize("verb", ["answer", "approve", "stop", "retry", "undo", "show"])
def test_an_unknown_run_is_said(terminal: Terminal, verb: str) -> None:
    more = ("Yes",) if verb == "answer" else ()
    assert "There is no run r9" in refusal(terminal.type("ana", verb, "r9", *more)).message
