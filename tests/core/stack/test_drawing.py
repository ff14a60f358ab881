"""The stack as people see it: in waves, with what needs what, how each was last seen, where its data lies."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from actions.settings.services import ServiceTable, SiteTable
from actions.stack.drawing import drawn
from actions.stack.manual import SERVICES
from actions.stack.stack import Service, ServiceKind, Site
from actions.watch import service_condition
from actions.watch.redis_memory import Memory
from actions.watch.service_condition import Condition, Health
from bot.dispatch import hear
from bot.runs.requests import Origin
from tests.support.bot_world import CHANNEL, START, Office, office_in
from tests.support.terminal_world import Terminal

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
SITE = Site("main", "tcp://host:2376", SERVICES[:7])


def seen(name: str, word: str = "healthy", detail: str = "", minutes: float = 0, **more: str) -> Condition:
    return Condition(name, "main", NOW - timedelta(minutes=minutes), Health(name, word, detail, **more))  # type: ignore[arg-type]


def test_the_drawing_has_every_service_in_its_wave_with_all_that_is_known_of_it() -> None:
    known = [
        seen("nself-postgres", container="nchat_postgres"),
        replace(seen("nself-redis"), memory=Memory(NOW, 2 << 20, 2 << 20, "noeviction", 3)),
        seen("nself-auth", "stopped", "Exited (137)"),
        seen("nself-hasura", minutes=42),
        seen("strange"),
    ]
    assert drawn(SITE, {one.service: one for one in known}, NOW) == (
        "Site main, Docker at tcp://host:2376\n"
        "1. need nothing\n"
        "   ✓ nself-postgres     healthy (nchat_postgres)  data in /data/postgres\n"
        "   ✗ nself-redis        healthy                   data in /data/redis\n"
        "   ? nself-minio        not seen                  data in /data/minio\n"
        "2. start after those above\n"
        "   ✗ nself-auth         stopped                   needs nself-postgres, nself-redis\n"
        "   ? nself-hasura       healthy, 42 min ago       needs nself-postgres\n"
        "   ? nself-meilisearch  not seen                  needs nself-postgres  optional  data in /data/meilisearch\n"
        "3. start after those above\n"
        "   ? nself-functions    not seen                  needs nself-postgres, nself-hasura  optional\n"
        "nself-redis: Redis refuses writes for want of memory: 2 MB of 2 MB, noeviction, 3 refused\n"
        "nself-auth: Exited (137)\n"
        "Beside it, in no table of services: strange"
    )


def test_a_site_that_nobody_has_looked_at_says_so_and_monitoring_comes_last() -> None:
    told = drawn(
        Site("east", services=(Service("loki", ServiceKind.MONITORING), Service("db", ServiceKind.POSTGRES))), {}, NOW
    )
    assert told.splitlines()[1:] == [
        "1. need nothing",
        "   ? db    not seen",
        "2. only watch, so they come last",
        "   ? loki  not seen",
        "No worker has looked at this site yet.",
    ]


def test_the_drawing_fits_a_line_of_a_terminal() -> None:
    told = drawn(Site("main", services=SERVICES), {}, NOW)
    assert max(map(len, told.splitlines())) <= 100


def say(here: Office, text: str) -> str:
    return hear(here.bot, text, Origin(text, "U0ONCALL", "T0", CHANNEL)).text


def two_sites() -> Office:
    made = office_in()
    update = {"sites": (SiteTable(name="east"),), "services": (ServiceTable(name="cache", kind="redis", site="east"),)}
    return replace(made, bot=replace(made.bot, settings=made.bot.settings.model_copy(update=update)))


def test_slack_shows_all_sites_or_the_one_that_is_named_in_letters_of_one_width() -> None:
    here = two_sites()
    hostile = Health("cache", "stopped", "```<!channel>")
    service_condition.keep(here.store, Condition("cache", "east", START, hostile))
    both = say(here, "/recover stack")
    assert both.startswith("```Site main\n1. need nothing\n")
    assert "Site east" in both
    east = say(here, "/recover stack @ east")
    assert "Site main" not in east
    assert "✗ cache  stopped" in east
    assert east.count("```") == 2
    assert "<!channel>" not in east
    assert "There is no site 'west'. [MD-STK-008]\nSites: main, east." in say(here, "/recover stack west")


def test_the_terminal_shows_the_same_and_gives_it_to_programs(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    told = terminal.typed("ana", "stack").stdout
    assert told.startswith("Site main\n1. need nothing\n")
    assert terminal.typed("ana", "recover", "stack").stdout == told
    rows = json.loads(terminal.typed("ana", "stack", "--json").stdout)
    assert [(row["service"], row["wave"]) for row in rows][:4] == [
        ("nself-postgres", 1),
        ("nself-redis", 1),
        ("nself-minio", 1),
        ("nself-auth", 2),
    ]
    assert (rows[0]["kind"], rows[0]["rto_seconds"], rows[0]["health"]) == ("postgres", 1800, None)
    assert terminal.type("ana", "stack", "west").exception is not None
