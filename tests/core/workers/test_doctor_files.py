"""Files that others than their owner can read are found."""

from __future__ import annotations

from pathlib import Path

from actions.settings.outside import PagerDutySettings
from actions.settings.settings import Settings
from actions.store.store import Store
from tests.support.bot_world import Clock
from workers.doctor.file_checks import check


def test_a_store_and_secrets_that_others_may_read_are_named(tmp_path: Path) -> None:
    store, secrets = tmp_path / "mayday.db", tmp_path / "secrets"
    settings = Settings(store=f"sqlite:///{store}", pagerduty=PagerDutySettings(secrets_file=str(secrets)))
    assert list(check(settings)) == []
    Store(settings.store, Clock())
    secrets.write_text("s\n")
    secrets.chmod(0o600)
    (found,) = check(settings)
    assert found.ok
    secrets.chmod(0o640)
    (found,) = check(settings)
    assert (found.ok, found.seen) == (False, f"others may read: {secrets} (640)")
    assert "chmod 600" in found.do


def test_a_store_in_a_database_has_no_file_here() -> None:
    assert list(check(Settings(store="postgresql+psycopg://mayday@db/mayday"))) == []
