"""What the journals tell of the status page: each update as it went, and what is said of the components."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actions.catalog import find
from actions.incidents import incident_actions
from actions.incidents.draft_offers import offered, to_publish
from actions.incidents.open_errands import open_errand
from actions.incidents.public_posts import Post, components, offers, posts
from actions.incidents.run_story import retell
from actions.settings.outside import StatusPageSettings
from actions.settings.settings import Settings
from tests.support.bare_host import ANA, Host, now
from workers.runner.toolboxes import InProcessRunner


@pytest.fixture
def host(memory_path: Path) -> Host:
    return Host(memory_path)


def told(host: Host) -> list[Post]:
    return list(posts(retell(host.store.entries(linked.run)) for linked in host.incident.runs))


def goes_out(host: Host, kind: str, said: dict[str, str]) -> str:
    """Have an update carried out, with these components touched."""
    page = StatusPageSettings(kind="files", path=str(host.page))
    draft = offered(page, host.incident, None, "resolved" if kind == "resolved" else "opened")
    errand, _ = open_errand(
        host.store,
        to_publish(host.incident, replace(draft, components=said)),
        host.incident,
        ANA,
        site="main",
        key=kind,
    )
    InProcessRunner(Settings(statuspage=page), find, now).carry_out(host.store, errand)
    return errand


def test_an_update_stands_on_the_page_only_once_it_was_seen_there(host: Host) -> None:
    host.page.write_text("a file where the folder belongs")
    failed = goes_out(host, "opened", {"search": "partial_outage"})
    [post] = told(host)
    assert (post.errand, post.state, post.stood_at, post.url) == (failed, "failed", None, "")
    assert post.trouble
    assert components([post]) == {}
    host.page.unlink()
    host.page.mkdir()
    done = goes_out(host, "again", {"search": "partial_outage"})
    post = told(host)[-1]
    assert (post.errand, post.state, post.who, post.status) == (done, "done", "Ana", "investigating")
    assert post.stood_at
    assert post.stood_at >= post.at
    assert not post.trouble


def test_the_newest_update_says_what_a_component_is(host: Host) -> None:
    host.page.mkdir()
    goes_out(host, "opened", {"search": "partial_outage", "api": "degraded_performance"})
    goes_out(host, "resolved", {"search": "operational"})
    assert components(told(host)) == {"search": "operational", "api": "degraded_performance"}


def test_what_was_offered_is_told_with_its_time(host: Host) -> None:
    incident_actions.remark(host.store, host.name, "An update is ready.", key="k1", offers="started")
    incident_actions.remark(host.store, host.name, "Nothing to offer.", key="k2")
    [offer] = offers(host.store.entries(host.name))
    assert offer.kind == "started"
    assert offer.at <= now()
