"""Our adapter for PagerDuty's status pages, against a small server with PagerDuty's shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from actions.engine.errors import Away, RecoveryError
from actions.incidents.public_text import stands
from actions.settings.outside import PagerDutySettings, StatusPageSettings
from actions.tools.outside import Draft
from tests.support.described import described
from tests.support.waiting import now
from tests.support.worlds.pagerduty_pages import KEY, PAGE, PagesWorld, running_pages
from workers.statuspage.html import to_html, to_text
from workers.statuspage.opening import OpenPage, open_page
from workers.statuspage.pagerduty_words import heard, spoken

DRAFT = Draft(
    "Q1XYZ",
    "Messages are missing",
    "investigating",
    "We are looking\n\ninto <it> & more.",
    "critical",
    {"SVC2": "major_outage"},
    notify=False,
)
RESOLVED = replace(DRAFT, status="resolved", text="It is over.", components={})
STATUSES = ("investigating", "identified", "monitoring", "resolved")


@pytest.fixture
def world() -> PagesWorld:
    return PagesWorld()


def opened(url: str, key: str = KEY, page: str = PAGE) -> OpenPage:
    settings = StatusPageSettings.model_validate({"kind": "pagerduty", "page": page, "public_url": "https://s.example"})
    found = open_page(settings, now, PagerDutySettings.model_validate({"token": key, "api_url": url}))
    assert found
    return found


@pytest.fixture
def page(world: PagesWorld) -> Iterator[OpenPage]:
    with running_pages(world) as url:
        found = opened(url)
        yield found
        found.close()


def newest(world: PagesWorld) -> dict[str, Any]:
    return world.updates[world.posts[0]["id"]][-1]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("text", ["Plain.", "Resolved: it says", "Monitoring:\nlines"])
@pytest.mark.parametrize("their_word", ["investigating", "detected", "resolved", "monitoring"])
def test_what_is_said_under_any_word_of_theirs_is_heard_as_ours(status: str, text: str, their_word: str) -> None:
    assert heard(spoken(status, text, their_word), their_word) == (status, text)


@pytest.mark.parametrize("text", ["One.", "One\ntwo\n\nthree", "<b>&amp; not bold</b>", "a < b > c"])
def test_text_survives_html(text: str) -> None:
    assert to_text(to_html(text)) == text
    assert "<b>" not in to_html(text)


@pytest.mark.parts
def test_a_post_is_created_updated_and_resolved(world: PagesWorld, page: OpenPage) -> None:
    assert page.find("Q1XYZ") is None
    first = page.publish(DRAFT)
    assert stands(DRAFT, first)
    assert world.posts[0]["title"] == "Messages are missing (Q1XYZ)"
    for status in STATUSES[1:3]:
        draft = replace(DRAFT, status=status, text=f"Now {status}.")
        assert stands(draft, page.publish(draft))
        assert stands(draft, page.find("Q1XYZ"))
    last = page.publish(RESOLVED)
    assert (last.id, last.updates, last.status) == (first.id, 4, "resolved")
    assert last.url == f"https://s.example/posts/{first.id}"
    told = newest(world)
    assert world.word("severities", told["severity"]["id"]) == "all good"
    (touched,) = told["impacted_services"]
    assert (touched["service"]["id"], world.word("impacts", touched["impact"]["id"])) == ("SVC2", "operational")
    assert len(world.posts) == 1


@pytest.mark.parts
def test_the_same_text_is_not_posted_twice_and_a_long_title_is_cut(world: PagesWorld, page: OpenPage) -> None:
    long = replace(DRAFT, title="x" * 255)
    assert page.publish(long) == page.publish(long)
    assert len(world.posts[0]["title"]) == 128
    assert world.posts[0]["title"].endswith(" (Q1XYZ)")
    assert len(world.sent) == 1


@pytest.mark.parts
def test_it_is_found_among_many_posts_over_several_pages(world: PagesWorld, page: OpenPage) -> None:
    page.publish(DRAFT)
    for n in range(7):
        world.add_post({"title": f"Another (Q{n})", "post_type": "incident", "updates": []})
    assert stands(DRAFT, page.find("Q1XYZ"))
    assert page.find("1XYZ") is None


@pytest.mark.parts
@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_answer_makes_no_double(world: PagesWorld, page: OpenPage, lost: int) -> None:
    for draft in (DRAFT, RESOLVED):
        world.lost = lost
        assert stands(draft, page.publish(draft))
    assert len(world.posts) == 1
    assert len(world.updates[world.posts[0]["id"]]) == 2


@pytest.mark.parts
def test_a_double_is_closed_and_the_older_one_goes_on(world: PagesWorld, page: OpenPage) -> None:
    first = page.publish(DRAFT)
    world.add_post({**world.sent[0][1]["post"]})
    other = replace(DRAFT, status="identified", text="Found.")
    assert page.publish(other).id == first.id
    double = world.updates[world.posts[1]["id"]][-1]
    assert "twice by mistake" in double["message"]
    assert double["notify_subscribers"] is False


@pytest.mark.parts
def test_down_is_away_and_limited_is_waited_for(world: PagesWorld, page: OpenPage) -> None:
    world.down = True
    with pytest.raises(Away):
        page.publish(DRAFT)
    world.down, world.limited = False, 2
    assert stands(DRAFT, page.publish(DRAFT))


@pytest.mark.parts
def test_a_wrong_key_and_a_missing_word_say_what_to_correct(world: PagesWorld, page: OpenPage) -> None:
    with pytest.raises(RecoveryError, match="refused") as wrong:
        opened(world.url, key="wrong").find("Q1XYZ")
    assert "token" in wrong.value.hint
    world.statuses = ("Detected",)
    with pytest.raises(RecoveryError, match="no status for 'resolved'") as missing:
        page.publish(RESOLVED)
    assert "resolved" in missing.value.hint
    assert world.posts == []


@pytest.mark.parts
def test_the_services_of_the_page_can_be_mapped(page: OpenPage) -> None:
    assert page.components() == {"SVC1": "API", "SVC2": "Messages"}


@pytest.mark.parts
def test_everything_sent_is_described(world: PagesWorld, page: OpenPage) -> None:
    spec = described("pagerduty-rest")
    page.publish(DRAFT)
    page.publish(RESOLVED)
    (_, created), (_, updated) = world.sent
    posts, updates = "/status_pages/{id}/posts", "/status_pages/{id}/posts/{post_id}/post_updates"
    # The description wants each update to name its post, also in the request that creates the post; its own
    # example leaves it out there, and nobody can know it.
    known = {**created["post"], "updates": [u | {"post": {"id": "new"}} for u in created["post"]["updates"]]}
    spec.check(spec.body("post", posts), {"post": known})
    spec.check(spec.body("post", updates), updated)
    assert not spec.unknown(spec.body("post", updates), updated)
    assert not spec.unknown(spec.body("post", posts), created)
