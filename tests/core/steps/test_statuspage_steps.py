"""Publishing as steps: looked at, written once, verified by what the page shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from actions.engine import facts, injection
from actions.engine.errors import Away, Refused
from actions.engine.procedure import Act, Look, Procedure, Risk
from actions.engine.reading import Words
from actions.steps.statuspage_update import OnThePage, look_at_page, publish, published, what_goes_out
from actions.tools.outside import Draft, StatusPage
from tests.support.worlds.status_page import PageWorld

DRAFT = Draft("INC1", "Search is down", "investigating", "We are looking into it.", components={"c2n6": "major_outage"})


@dataclass(frozen=True)
class Publish:
    """What somebody wants on the page."""

    draft: Draft


PROCEDURE = Procedure(
    name="publish",
    summary="Put it on the page.",
    words=Words("publish", "", ("",), lambda _text, _asker: Publish(DRAFT)),
    request=Publish,
    risk=Risk.CHANGES,
    steps=(
        Look("look at the status page", look_at_page, gives="page"),
        Act("publish the update", publish, published),
        Look("find the link", look_at_page, gives="after"),
    ),
)


def test_the_steps_can_be_wired_by_the_names_of_their_parameters() -> None:
    injection.check(PROCEDURE, {"status_page": StatusPage})
    page = PageWorld()
    injection.call(publish, {"draft": DRAFT, "status_page": page, "other": 1})
    assert page.components == {"c2n6": "major_outage"}


def test_a_draft_and_what_stands_there_survive_the_journal() -> None:
    page = PageWorld()
    publish(DRAFT, page)
    seen = look_at_page(DRAFT, page)
    assert facts.from_json(Publish, facts.to_json(Publish(DRAFT))) == Publish(DRAFT)
    assert facts.from_json(OnThePage, facts.to_json(seen)) == seen
    assert (seen.found, seen.status, seen.updates) == (True, "investigating", 1)
    assert seen.url


def test_published_is_true_only_for_this_text_and_status_of_this_incident() -> None:
    page = PageWorld()
    assert not published(DRAFT, page)
    publish(DRAFT, page)
    assert published(DRAFT, page)
    publish(DRAFT, page)
    assert len(page.updates["INC1"]) == 1
    assert not published(replace(DRAFT, status="monitoring"), page)
    assert not published(replace(DRAFT, text="Another text."), page)
    assert not published(replace(DRAFT, incident="INC2"), page)


def test_what_a_person_typed_is_cleaned_the_same_way_for_writing_and_verifying() -> None:
    page, typed = PageWorld(), replace(DRAFT, text="It was password=hunter2, sorry.")
    publish(typed, page)
    assert published(typed, page)
    assert "hunter2" not in page.updates["INC1"][0].text


def test_nothing_is_written_where_the_page_is_away_or_the_draft_is_none() -> None:
    page = PageWorld(away=1)
    with pytest.raises(Away):
        publish(DRAFT, page)
    with pytest.raises(Refused):
        publish(replace(DRAFT, text=" "), page)
    assert page.updates == {}


def test_a_person_reads_what_goes_out_and_what_stands_there() -> None:
    page = PageWorld()
    publish(DRAFT, page)
    (sheet,) = what_goes_out(replace(DRAFT, status="monitoring", notify=False), look_at_page(DRAFT, page))
    rows = dict(sheet.rows)
    assert rows["Status"] == "monitoring"
    assert rows["There now"] == "investigating: We are looking into it."
    assert sheet.notes == ("Nobody is told by mail.",)
