"""An error names the setting in the table that tells of the server, of several too."""

from __future__ import annotations

from dataclasses import replace

from actions.settings.services import ServiceTable, SiteTable
from actions.settings.settings import Settings
from tests.support.worlds.company import SITE
from tests.support.worlds.planned import Company, WorldToolbox

BILLING = ServiceTable(name="billing-db", kind="postgres", archive="/b/wal", bases="/b/base", database="billing")
OWN = ServiceTable(name="nself-postgres", kind="postgres")


def setting(settings: Settings, service: str, name: str, site: str = "main") -> str:
    told = settings.server(service, site)
    assert told is not None
    return told.setting(name)


def test_a_setting_is_named_in_the_table_that_tells_it() -> None:
    several = Settings(services=(OWN, BILLING), sites=(SiteTable(name="east"),))
    assert setting(Settings(), "nself-postgres", "user") == "`site.user`"
    assert setting(several, "nself-postgres", "archive") == "`site.archive`"
    assert setting(several, "billing-db", "archive") == "`archive` in the table of billing-db under [[services]]"
    # It is named by its own name there, and by that of its container.
    assert setting(several, "billing-db", "postgres") == "`container` in the table of billing-db under [[services]]"
    assert setting(several, "nself-postgres", "user", "east") == "`user` in the table of east under [[sites]]"


def test_what_its_own_table_says_of_the_own_server_is_looked_for_there() -> None:
    own = OWN.model_copy(update={"user": "admin"})
    assert setting(Settings(services=(own,)), "nself-postgres", "user").endswith("nself-postgres under [[services]]")


def test_a_refusal_of_another_server_sends_nobody_to_the_table_of_the_sites_own() -> None:
    told = replace(SITE, told_in="the table of billing-db under [[services]]")
    for signals, recovering, container in ((("standby.signal",), True, True), ((), False, False)):
        here = Company(toolbox=lambda world: WorldToolbox(world, site=told))
        here.world.signals, here.world.recovering = signals, recovering
        if not container:
            here.world.containers.pop(SITE.postgres)
        here.ask("postgres pitr", "08:30:30")
        here.work()
        said = here.store.entries("r1")[-1].data
        assert "`container` in the table of billing-db under [[services]]" in said["hint"]
        assert "site." not in said["hint"]
