"""A base backup, the window and the integrity checks: small procedures on a company after an accident."""

from __future__ import annotations

from actions.engine.claims import Mode
from tests.core.recoveries.test_postgres_pitr import after_the_accident
from tests.support.kills import KillCase, carry_on
from tests.support.worlds.planned import Company


def asked(command: str, text: str = "") -> Company:
    here = after_the_accident()
    here.ask(command, text)
    return here


def but_for_the_backup(before: Company, here: Company, after: Company) -> list[str]:
    """A backup that was begun is left where it lies, and nothing else is different."""
    old, now = before.world.picture(), here.world.picture()
    now["backups"] = {name: one for name, one in now["backups"].items() if name != "base_r1"}
    now["archive"] = [name for name in now["archive"] if name in old["archive"]]
    old["dirs"], now["dirs"] = (({leaf: one[0] for leaf, one in dirs.items()}) for dirs in (old["dirs"], now["dirs"]))
    return [f"{name}: {now[name]}" for name in now if now[name] != old[name]]


CASES = (
    KillCase("postgres base backup", lambda: asked("postgres base backup"), but_for_the_backup),
    KillCase("postgres verify", lambda: asked("postgres verify")),
    KillCase("postgres window", lambda: asked("postgres window")),
    KillCase("postgres replication", lambda: asked("postgres replication")),
    KillCase("postgres rows", lambda: asked("postgres rows", "r0209-abcd")),
)


def test_what_only_looks_changes_nothing_and_holds_nothing() -> None:
    for command in ("postgres verify", "postgres window", "postgres replication"):
        here = asked(command)
        before = here.world.picture()
        assert not here.store.claims("main")
        carry_on(here)
        assert here.world.picture() == before
        assert here.world.changes == ()


def test_a_backup_gives_way_while_it_runs_and_leaves_one_that_is_whole() -> None:
    here = asked("postgres base backup")
    assert [claim.mode for claim in here.store.claims("main")] == [Mode.YIELDING]
    carry_on(here)
    assert here.world.picture()["backups"]["base_r1"][2:] == (True, True)
    assert not here.store.claims("main")
