"""The stack's picture in Slack: uploaded once for each state, shown when Slack can, never in the way of words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from actions.watch import service_condition
from actions.watch.service_condition import Health
from bot.dispatch import hear
from bot.listeners.recipient import Recipient
from bot.listeners.stack_picture import show
from bot.runs.requests import Origin
from bot.slack import stack_png
from bot.slack.home_tab import Home
from bot.slack.stack_pictures import AT_MOST_EVERY, StackPictures
from lab.slack.world import World
from tests.core.workers.test_condition import SEEN
from tests.support.bot_world import CHANNEL, SERVICE, Office, office_in
from tests.support.practice_client import PracticeClient

OLGA = "U0ONCALL"
UPLOAD = "files.completeUploadExternal"


class Scene:
    """An office, a practice Slack in memory on the same clock, and somebody who looks at the home tab."""

    def __init__(self) -> None:
        self.office: Office = office_in()
        self.world = World(clock=lambda: self.office.clock.now.timestamp(), base_url="http://practice")
        self.client = PracticeClient(self.world)
        self.home = Home(self.office.bot, client=self.client)
        service_condition.keep(self.office.store, replace(SEEN, seen_at=self.office.clock()))

    def looks(self, seconds: float = 0.0) -> list[dict[str, Any]]:
        """What stands in the home tab by then, its images alone."""
        for _ in range(int(seconds)):
            self.office.clock.on(1)
            self.home.tick()
        home = self.world.homes.get(OLGA)
        return [block for block in home.view["blocks"] if block["type"] == "image"] if home else []

    def opens(self) -> None:
        self.home.opened(OLGA, "")
        self.home.tick()

    def changes(self, word: str) -> None:
        seen = replace(SEEN, seen_at=self.office.clock(), health=Health(SERVICE, word))
        service_condition.keep(self.office.store, seen)

    def uploads(self) -> int:
        return self.client.calls.count(UPLOAD)

    def asks(self, about: str = "", waits: Callable[[float], object] | None = None) -> list[Any]:
        """What the person who asked sees after the text."""
        wait = waits or self.office.clock.on
        show(self.office.bot, self.client, Recipient(CHANNEL, OLGA), about, wait=wait)
        return [message for message in self.world.log.seen_by(OLGA, [CHANNEL]) if message.only_for == OLGA]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_home_tab_shows_it_once_slack_has_read_the_file(scene: Scene) -> None:
    scene.opens()
    assert scene.looks() == []
    [image] = scene.looks(15)
    file = scene.world.files[image["slack_file"]["id"]]
    assert file.content.startswith(b"\x89PNG")
    assert file.name == "stack-main.png"
    assert f"{SERVICE}: well; healthy" in image["alt_text"]
    assert "needs nself-postgres" in image["alt_text"]
    # It was shared with no channel, where it would stand as a message of its own.
    assert not scene.world.log.seen_by(OLGA, [CHANNEL])


def test_it_is_uploaded_once_while_nothing_changes_also_by_a_bot_that_began_anew(scene: Scene) -> None:
    scene.opens()
    scene.looks(60)
    scene.home = Home(scene.office.bot, client=scene.client)
    service_condition.keep(scene.office.store, replace(SEEN, seen_at=scene.office.clock()))
    scene.opens()
    assert len(scene.looks(60)) == 1
    assert scene.uploads() == 1


def test_a_picture_of_before_is_never_shown_for_what_is_now(scene: Scene) -> None:
    scene.opens()
    [before] = scene.looks(15)
    scene.changes("unhealthy")
    assert scene.looks(11) == []
    [after] = scene.looks(int(AT_MOST_EVERY.total_seconds()) + 15)
    assert after["slack_file"] != before["slack_file"]
    assert f"{SERVICE}: not well; unhealthy" in after["alt_text"]


def test_a_site_that_changes_all_the_time_is_uploaded_once_a_minute(scene: Scene) -> None:
    scene.opens()
    for number in range(60):
        scene.changes(f"word {number}")
        scene.office.clock.on(4)
        scene.looks(1)
    assert 4 <= scene.uploads() <= 6


def test_nobody_who_looks_nothing_is_uploaded(scene: Scene) -> None:
    scene.looks(120)
    assert scene.client.calls == []


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", UPLOAD])
def test_without_the_right_to_upload_the_tab_is_as_before_and_it_is_not_tried_at_each_look(
    scene: Scene, method: str
) -> None:
    scene.client.refuse = lambda called: "missing_scope" if called == method else ""
    scene.opens()
    assert scene.looks(50) == []
    assert scene.world.homes[OLGA].view["blocks"]
    assert scene.client.calls.count(method) == 1


def test_a_file_that_slack_takes_long_to_read_holds_the_tab_up_for_one_look(scene: Scene) -> None:
    scene.world.reads_files_in = 25
    scene.opens()
    scene.looks(5)
    scene.changes("unhealthy")
    scene.looks(15)
    assert "unhealthy" in str(scene.world.homes[OLGA].view["blocks"])
    scene.changes("healthy")
    scene.looks(120)
    assert len(scene.looks(60)) == 1


def test_a_file_that_slack_never_shows_is_given_up(scene: Scene) -> None:
    scene.world.reads_files_in = 1e9
    scene.opens()
    calls = []
    for _ in range(80):
        scene.changes("healthy")
        scene.office.clock.on(4)
        assert scene.looks(1) == []
        calls.append(len(scene.client.calls))
    assert scene.uploads() == 1
    assert calls[-1] == calls[50] < 20


def test_who_asks_gets_the_words_at_once_and_then_the_picture(scene: Scene) -> None:
    reply = hear(scene.office.bot, "/recover stack", Origin("k", OLGA, "T0", CHANNEL))
    assert reply.text.startswith("```Site main")
    assert reply.stack == ""
    [message] = scene.asks(reply.stack)
    [block] = message.blocks
    assert block["type"] == "image"
    assert block["alt_text"] == message.text
    assert f"{SERVICE}: well" in message.text
    # Slack refused it once, as it had not read the file yet.
    assert scene.client.calls.count("chat.postEphemeral") == 2


def test_who_asks_again_gets_the_same_file_at_once(scene: Scene) -> None:
    scene.asks()
    scene.office.clock.on(10)
    before = len(scene.client.calls)
    assert len(scene.asks(waits=lambda _: pytest.fail("it waited"))) == 2
    assert scene.client.calls[before:] == ["chat.postEphemeral"]


def test_no_other_look_has_a_picture(scene: Scene) -> None:
    assert hear(scene.office.bot, "/recover status", Origin("k", OLGA, "T0", CHANNEL)).stack is None


def test_where_no_png_can_be_made_the_words_stay_and_it_is_said_why(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_png, "svg_to_bytes", None)
    [message] = scene.asks()
    assert message.text == (
        "There is no picture of the stack of main: resvg-py, which draws it, is not installed here. "
        "The text says the same."
    )


def test_a_file_that_slack_does_not_show_in_time_is_said_to_be_none(scene: Scene) -> None:
    scene.world.reads_files_in = 1e9
    [message] = scene.asks()
    assert "Slack did not show it (invalid_blocks). The text says the same." in message.text
    assert scene.client.calls.count("chat.postEphemeral") == 6


def test_words_that_are_too_long_for_a_picture_say_where_all_of_them_stand(scene: Scene) -> None:
    scene.changes("x" * 3000)
    image = StackPictures(scene.office.bot, scene.client).at_once(scene.office.bot.settings.stack()[0])
    alt = image.block()["alt_text"]
    assert len(alt) <= 2000
    assert alt.endswith("All of it as text: /recover stack")
