"""A planned switch in a real company whose town talks: nothing is lost, and its writers wait for seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.engine.journal import Kind
from actions.recoveries.postgres_switchover import SECOND
from actions.steps.failover.switch_sheets import SWITCH_OVER
from lab.home import STANDBY
from lab.lost import lost
from lab.notes import read
from lab.replication import replication
from tests.support.practice import practice_company

pytestmark = pytest.mark.whole
_SAID = 30


def test_the_standby_takes_over_by_plan_and_every_acknowledged_message_is_there(tmp_path: Path) -> None:
    with practice_company(tmp_path, "mtso", standby=True) as practice:
        lab, standby = practice.lab, practice.lab.container(STANDBY)

        def noted() -> int:
            return sum(1 for _ in read(lab.truth_file))

        practice.until(lambda: noted() > _SAID, 30, "the town talks")
        practice.until(lambda: any(node["streaming"] for node in replication(lab)["nodes"]), 30, "it streams")
        run = practice.begins("/recover postgres switchover")
        assert practice.wait(run) == "asking", practice.story(run)
        practice.decide(SWITCH_OVER, run)
        practice.wait_for(run, Kind.ASKED, SECOND.title)
        practice.decide(SWITCH_OVER, run, "approver", standby)
        assert practice.wait(run) == "done", practice.story(run)
        practice.assert_on_the_record(run)

        judged = lost(lab)
        assert (judged["primary"], judged["timeline"], judged["lost"]) == (standby, 2, 0), judged
        assert replication(lab)["takes_writes"] == [standby]
        before = noted()
        practice.until(lambda: noted() > before + _SAID, 30, "the town goes on")
        assert [note["timeline"] for note in read(lab.truth_file)][-1] == 2
        assert practice.docker("inspect", "-f", "{{.State.ExitCode}}", practice.postgres).strip() == "0"

        # Who is the primary now is no standby: a second switch is refused, and nothing is touched.
        again = practice.begins("/recover postgres switchover")
        assert practice.wait(again) == "refused", practice.story(again)
        assert replication(lab)["takes_writes"] == [standby]
