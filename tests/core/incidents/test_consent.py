"""Nothing stands on the public page that nobody let out: a person by pressing, or the settings by its kind."""

from __future__ import annotations

import pytest

from actions.engine.journal import Kind
from actions.errands import status_page_publish
from actions.incidents.draft_offers import kind_now, newest_recovery, offered, to_publish
from actions.incidents.incident_actions import close, remark
from actions.incidents.open_errands import ITSELF, open_errand
from actions.settings.outside import StatusPageSettings
from bot.incidents.incident_thread import ThreadStory
from tests.support.bot_world import PITR, SERVICE, PlayedWorker
from tests.support.worlds.pages import event
from tests.support.worlds.post import Post


@pytest.fixture
def post() -> Post:
    made = Post()
    made.hears(event("triggered", "P0"))
    made.statuspage = StatusPageSettings(kind="files", components={SERVICE: "db"})
    return made


def publishes(post: Post, kind: str = "opened") -> None:
    """Somebody has pressed *Publish*, and it stands on the page."""
    draft = offered(post.statuspage, post.one, None, kind)  # type: ignore[arg-type]
    run, _ = open_errand(post.store, to_publish(post.one, draft), post.one, ITSELF, site="main", key=f"pressed {kind}")
    PlayedWorker(post.store, run).ends("done")


def lines(post: Post) -> list[str]:
    told = ThreadStory()
    told.hear(post.store.entries(post.one.id))
    return [line.text for line in told.lines]


def buttons(post: Post) -> list[str]:
    told = ThreadStory()
    told.hear(post.store.entries(post.one.id))
    made = [block for line in told.lines for block in line.blocks if block["type"] == "actions"]
    return [element["text"]["text"] for block in made for element in block["elements"]]


@pytest.mark.parametrize("who", ["pressed here", "in PagerDuty"])
def test_who_resolves_publishes_nothing_and_is_offered_the_end(post: Post, who: str) -> None:
    publishes(post)
    if who == "pressed here":
        close(post.store, post.one.id, ITSELF, key="resolve")
    else:
        post.hears(event("resolved", "P0", 1))
    for _ in range(3):
        post.tells()
    assert post.published() == ["investigating"]
    said = [line for line in lines(post) if "status page" in line]
    assert said == [
        "The status page still says *investigating* of it, and nothing was published. An update that it is over is "
        "ready: it goes out when you publish it."
    ]
    assert buttons(post)[-1:] == ["Status page…"]
    assert kind_now(post.one, None) == "resolved"


def test_what_somebody_has_published_and_is_on_its_way_is_not_offered_again(post: Post) -> None:
    publishes(post)
    close(post.store, post.one.id, ITSELF, key="resolve")
    draft = offered(post.statuspage, post.one, None, "resolved")
    run, _ = open_errand(post.store, to_publish(post.one, draft), post.one, ITSELF, site="main", key="the end")
    post.tells()
    assert not [line for line in lines(post) if "still says" in line]
    PlayedWorker(post.store, run).ends("done")
    post.tells()
    assert post.published() == ["investigating", "resolved"]
    assert not [line for line in lines(post) if "still says" in line]


def test_only_the_newest_offer_of_an_update_has_a_button(post: Post) -> None:
    publishes(post)
    for n, said in enumerate(("It has started.", "Recovered.")):
        remark(post.store, post.one.id, said, key=f"offer {n}", offers="started")
    told = ThreadStory()
    told.hear(post.store.entries(post.one.id))
    assert [(line.text, len(line.blocks)) for line in told.lines[-2:]] == [("It has started.", 1), ("Recovered.", 2)]


def test_the_offer_is_made_once_though_the_inbox_forgets(post: Post) -> None:
    publishes(post)
    post.hears(event("resolved", "P0", 1))
    post.tells()
    post.clock.advance(26 * 3600)
    post.hears(event("triggered", "P9", 30))
    post.tells()
    first = next(one for one in post.incidents if "P0" in one.alerts)
    assert len([e for e in post.store.entries(first.id) if e.data.get("offers")]) == 1


def test_the_end_goes_out_by_itself_where_the_settings_say_resolved(post: Post) -> None:
    post.statuspage = StatusPageSettings(kind="files", components={SERVICE: "db"}, automatic=("resolved",))
    publishes(post)
    post.hears(event("resolved", "P0", 1))
    for _ in range(3):
        post.tells()
    assert post.published() == ["investigating", "resolved"]


def test_what_was_never_published_needs_no_end(post: Post) -> None:
    post.statuspage = StatusPageSettings(kind="files", components={SERVICE: "db"}, automatic=("resolved",))
    post.hears(event("resolved", "P0", 1))
    post.tells()
    assert post.published() == []
    assert not any("status page" in line for line in lines(post))


def test_what_was_merged_or_moved_is_not_said_to_be_over_whatever_the_settings_say(post: Post) -> None:
    post.statuspage = StatusPageSettings(kind="files", components={SERVICE: "db"}, automatic=("resolved",))
    publishes(post)
    into = {"type": "merge_resolve_reason", "incident": {"id": "PINTO", "type": "incident_reference"}}
    post.hears(event("resolved", "P0", 1, resolve_reason=into))
    post.tells()
    assert post.published() == ["investigating"]
    assert kind_now(post.one, None) == "opened"
    assert "goes on elsewhere" in lines(post)[-1]


@pytest.mark.parametrize(("ended", "expected"), [("discarded", []), ("undone", []), ("refused", [])])
def test_a_recovery_that_was_given_up_offers_no_end_and_is_none(post: Post, ended: str, expected: list[str]) -> None:
    worker = post.recovers()
    worker.looks(PITR, 0, 1)
    if ended != "refused":
        worker.acts(PITR, 3)
    worker.ends(ended)
    post.tells()
    offers = [e.data["offers"] for e in post.store.entries(post.one.id) if e.data.get("offers")]
    assert [kind for kind in offers if kind != "started"] == expected
    assert newest_recovery(post.store, post.one, lambda name: PITR) is None
    assert kind_now(post.one, None) == "opened"


def test_what_fails_before_anything_began_is_no_attempt_that_the_public_hears_of(post: Post) -> None:
    worker = post.recovers()
    worker.write(Kind.FAILED, 0, title="look at the server", error="Docker does not answer.", hint="Start it.")
    post.tells()
    assert [e for e in post.store.entries(post.one.id) if e.data.get("offers")] == []
    assert newest_recovery(post.store, post.one, lambda name: PITR) is None


def test_a_refused_run_leaves_the_recovery_before_it_the_newest(post: Post) -> None:
    post.whole()
    second = post.recovers("r2")
    second.looks(PITR, 0)
    second.ends("refused")
    newest = newest_recovery(post.store, post.one, lambda name: PITR)
    assert newest is not None
    assert (newest.id, kind_now(post.one, newest)) == ("r1", "finished")


def test_only_the_errand_that_somebody_asked_for_publishes(post: Post) -> None:
    """Every procedure that changes the page says so by its words: it is pressed, never typed by a chore."""
    post.whole()
    post.tells()
    assert [r for r in post.store.runs() if post.store.run(r).procedure == status_page_publish.PROCEDURE.name] == []
