"""What a recovery leans on goes away in the middle of it, and people meddle; on real containers the run ends right."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from actions.control import answers
from actions.engine import facts
from actions.engine.errors import Refused
from actions.engine.journal import Kind
from actions.engine.procedure import Ask, Procedure
from actions.engine.reading import Asker
from actions.engine.rights import Speaker
from actions.engine.run_parts import Question
from actions.recoveries.postgres_pitr import PROCEDURE
from actions.settings.site import SiteSettings
from actions.store.ledger import TURN
from actions.store.tables import leases
from actions.tools.names import Names
from bot.slack.thread_loop import THREADS
from lab import company, processes, stack
from lab.begun import begun
from lab.home import QUEUE_PASSWORD
from tests.support.practice import Practice, practice_company
from workers.runner.leased_runner import LeasedRunner
from workers.runner.toolbox import DockerToolbox

pytestmark = pytest.mark.whole
KEEP, PAUSE = "Restore, keep serving", "Pause writers and restore"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One company for all outages of this file; each test leaves it whole."""
    with practice_company(tmp_path_factory.mktemp("outages"), "mta-out") as made:
        yield made


@pytest.fixture(autouse=True)
def _all_is_well_again(practice: Practice) -> Iterator[None]:
    yield
    practice.room.fault("off")
    practice.docker("start", practice.lab.queue)


def cut_over(practice: Practice, run: str) -> None:
    practice.decide("Cut over", run, "approver", typed=practice.postgres)


def empty_redis(practice: Practice) -> None:
    """Without the password redis-cli says NOAUTH, and ends with 0 all the same."""
    asked = ("redis-cli", "-a", QUEUE_PASSWORD, "--no-auth-warning", "FLUSHALL")
    assert practice.docker("exec", practice.lab.queue, *asked) == "OK"


def test_redis_is_restarted_and_emptied_in_the_middle_of_a_recovery(practice: Practice) -> None:
    target = practice.now()
    run = practice.ask(target)
    assert practice.wait(run) == "asking"
    practice.decide(PAUSE, run)
    practice.wait_for(run, Kind.BEGAN, "copy the base backup")
    empty_redis(practice)
    practice.docker("restart", "-t", "0", practice.lab.queue)
    assert practice.wait(run) == "asking", practice.story(run)
    practice.assert_clone_is_the_truth(run, target)
    cut_over(practice, run)
    empty_redis(practice)
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.assert_recovered(run)
    practice.assert_thread_complete(run)


def test_redis_is_away_for_a_whole_recovery(practice: Practice) -> None:
    practice.docker("stop", "-t", "0", practice.lab.queue)
    run = practice.pitr_to_preview(practice.now())
    cut_over(practice, run)
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.assert_recovered(run)
    practice.assert_thread_complete(run)


def test_the_bot_is_killed_twice_in_a_recovery_and_the_thread_is_whole_afterwards(practice: Practice) -> None:
    run = practice.ask(practice.now())
    assert practice.wait(run) == "asking"
    practice.decide(PAUSE, run)
    practice.wait_for(run, Kind.DONE, "save WAL that is not archived yet")
    bot_dies(practice)
    assert practice.wait(run) == "asking", practice.story(run)
    bot_is_back(practice)
    cut_over(practice, run)
    practice.wait_for(run, Kind.DONE, "stop the old server")
    bot_dies(practice)
    bot_is_back(practice)
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.assert_recovered(run)
    practice.assert_thread_complete(run)


def test_slack_is_down_for_a_whole_recovery(practice: Practice) -> None:
    """Nobody can press anything then, so it comes back for the two answers alone."""
    run = practice.ask(practice.now())
    assert practice.wait(run) == "asking"
    practice.decide(PAUSE, run)
    practice.room.fault("down")
    assert practice.wait(run) == "asking", practice.story(run)
    practice.room.fault("off")
    cut_over(practice, run)
    practice.room.fault("down")
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.room.fault("off")
    practice.assert_recovered(run)
    practice.assert_thread_complete(run)
    assert practice.room.wait_for_bot(60), "the bot hears Slack again"


@pytest.mark.parametrize(("before", "after"), [("errors", "twice"), ("slow", "limited")])
def test_slack_has_a_bad_day_for_a_whole_recovery(practice: Practice, before: str, after: str) -> None:
    practice.room.fault(before)
    run = practice.ask(practice.now())
    assert practice.wait(run) == "asking", practice.story(run)
    practice.decide(KEEP, run)
    assert practice.wait(run) == "asking", practice.story(run)
    practice.room.fault(after)
    cut_over(practice, run)
    assert practice.wait(run) == "recovered", practice.story(run)
    practice.assert_recovered(run)
    practice.room.fault("off")
    practice.assert_thread_complete(run)


def test_two_people_ask_for_one_service_at_once_and_one_is_told_who_holds_it(practice: Practice) -> None:
    let_ask(practice, "U0DBA")
    said = f"/recover postgres pitr {practice.now()}"
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda user: begun(practice.store, practice.say(said, user)), ("oncall", "dba")))
    won, lost = sorted(both, key=lambda answer: not answer.get("run"))
    assert won["run"]
    assert not lost.get("run")
    assert won["run"] in str(lost["answers"]), lost
    assert practice.wait(won["run"]) == "asking"
    practice.decide("Cancel", won["run"], "approver")
    assert practice.wait(won["run"]) == "discarded"
    practice.assert_on_the_record(won["run"])


def let_ask(practice: Practice, user: str) -> None:
    """The company has one person who asks; the bot reads of another one when it starts."""
    settings = company.settings_file(practice.lab)
    settings.write_text(settings.read_text().replace('operators = ["U0ONCALL"]', f'operators = ["U0ONCALL", "{user}"]'))
    bot_dies(practice)
    bot_is_back(practice)


def bot_dies(practice: Practice) -> None:
    practice.kill("bot")
    practice.until(lambda: practice.room.health()["sockets"] == 0, 10, "the room sees that the bot is gone")


def bot_is_back(practice: Practice) -> None:
    practice.start("bot")
    assert practice.room.wait_for_bot(60)
    # The lease of the one that was killed has to run out before another bot posts.
    practice.until(lambda: posts_now(practice), 20, "the new bot posts to the threads")


def posts_now(practice: Practice) -> bool:
    """Whether the bot that runs now holds the lease of the threads."""
    held = sa.select(leases.c.owner).where(leases.c.run == f"{TURN}{THREADS}")
    with practice.store.engine.connect() as db:
        return f":{processes.pid_of(practice.lab, 'bot')}:" in str(db.execute(held).scalar())


def test_double_clicks_and_two_approvers_at_once_have_one_effect_and_strangers_none(practice: Practice) -> None:
    assert not practice.say("/recover postgres pitr 5m ago", "watcher").get("run")
    run = practice.ask(practice.now())
    assert practice.wait(run) == "asking"
    practice.click(KEEP, "watcher", thread=run)
    assert practice.run(run).asking
    at_once(practice, KEEP, run, ("oncall", "oncall"))
    assert practice.wait(run) == "asking", practice.story(run)
    for stranger in ("oncall", "watcher", "guest"):
        practice.click("Cut over", stranger, practice.postgres, thread=run)
        assert practice.run(run).asking, f"{stranger} approved"
    at_once(practice, "Cut over", run, ("approver", "dba"), practice.postgres)
    assert practice.wait(run) == "recovered", practice.story(run)
    assert [e.data["option"] for e in practice.store.entries(run) if e.kind is Kind.ANSWERED] == [KEEP, "Cut over"]
    practice.assert_recovered(run)
    practice.assert_thread_complete(run)


def at_once(practice: Practice, label: str, run: str, users: tuple[str, ...], typed: str | None = None) -> None:
    practice.until(lambda: label in practice.buttons(run), 30, f"'{label}' is shown", run)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda user: practice.click(label, user, typed, thread=run), users))


def test_a_plan_whose_container_was_replaced_before_the_answer_is_void_and_asked_again(practice: Practice) -> None:
    run = practice.ask(practice.now())
    assert practice.wait(run) == "asking"
    practice.docker("rm", "-f", practice.postgres)
    stack.up(practice.lab, town=False)
    practice.decide(KEEP, run)
    voided = practice.wait_for(run, Kind.VOIDED)
    assert "server" in voided.data["changed"]
    assert practice.wait(run) == "asking", practice.story(run)
    assert practice.times_done(run, "pause the writers") == 0
    practice.decide("Cancel", run)
    assert practice.wait(run) == "discarded"
    practice.assert_on_the_record(run)
    practice.assert_thread_complete(run)


def test_a_preview_that_nobody_answers_in_time_is_given_up_and_a_late_click_is_refused(practice: Practice) -> None:
    """Carried out in this process, by a worker of a site of its own, with a procedure that is less patient."""
    steps = tuple(
        replace(s, expires=timedelta(seconds=2)) if isinstance(s, Ask) and s.gives == "approval" else s
        for s in PROCEDURE.steps
    )
    hasty = replace(PROCEDURE, steps=steps)
    run = requested(practice, hasty)
    writers = tuple(practice.lab.container(name) for name in ("functions", "hasura", "auth"))
    site = SiteSettings(name="exam", postgres=practice.postgres, writers=writers).site()
    loop = LeasedRunner(practice.store, lambda _: hasty, DockerToolbox(practice.store, site), "exam")
    assert loop.carry_out(run) == "asking"
    say(practice, run, KEEP)
    assert loop.carry_out(run) == "asking", practice.story(run)
    practice.until(lambda: practice.store.clock() > asked_in(practice, run).expires_at, 5, "the question expires")
    with pytest.raises(Refused, match="expired"):
        say(practice, run, "Cut over", practice.postgres)
    assert loop.carry_out(run) == "finished"
    assert practice.wait(run) == "discarded", practice.story(run)
    assert practice.beside("discarded", run)
    practice.assert_on_the_record(run)
    practice.assert_nothing_lost()


def requested(practice: Practice, procedure: Procedure) -> str:
    run = f"exam-{company.clock():%H%M%S}"
    target = practice.now()
    request = facts.to_json(procedure.words.read(target, Asker(company.clock(), "UTC", None, practice.postgres)))
    data = {
        "procedure": procedure.name,
        "table": procedure.table,
        "service": practice.postgres,
        "site": "exam",
        "by": "U0ONCALL",
        "name": "oncall",
        "request": request,
        "origin": {"sink": "none"},
    }
    practice.store.open_run(run, data, claims=True, key=run)
    return run


def say(practice: Practice, run: str, label: str, typed: str = "") -> None:
    speaker = Speaker("U0APPROVER", "approver", True, True)
    answers.answer(practice.store, run, asked_in(practice, run).n, label, speaker, typed)


def asked_in(practice: Practice, run: str) -> Question:
    asked = practice.run(run).question
    assert asked is not None
    return asked


def test_clone_and_helper_are_taken_down_while_replaying_and_the_run_goes_on(practice: Practice) -> None:
    """What a restart of the Docker daemon does to a recovery: both containers end under it."""
    practice.psql(
        "create table if not exists bulk (body text); "
        "insert into bulk select repeat(md5(n::text), 60) from generate_series(1, 150000) n"
    )
    target = practice.now()
    run = practice.ask(target)
    assert practice.wait(run) == "asking"
    practice.decide(KEEP, run)
    names = Names(run)
    practice.until(lambda: practice.clone_runs(run), 60, "it replays", run, every=0.02)
    practice.docker("kill", names.clone, names.helper)
    if practice.wait(run) == "failed":
        practice.decide("Retry", run)
        assert practice.wait(run) == "asking", practice.story(run)
    practice.assert_clone_is_the_truth(run, target)
    practice.decide("Discard", run)
    assert practice.wait(run) == "discarded", practice.story(run)
    practice.assert_on_the_record(run)
    practice.assert_thread_complete(run)
