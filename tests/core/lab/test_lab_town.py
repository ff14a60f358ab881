"""The town writes down every message that was committed, also one whose answer was lost while it was told to stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lab import town as talking
from lab.home import Lab
from lab.notes import read
from lab.town import Town

Answer = Callable[[httpx.Request], httpx.Response]
FACTS = {"channels": [{"id": 1, "name": "general"}], "users": [{"id": 7, "name": "Ada"}]}
PROOF = {"channel": "general", "commit_time": "2026-02-09T12:00:00+00:00", "timeline": 1, "lsn": "0/100", "exact": True}


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr(talking, "_PAUSE_AFTER_FAILURE_SECONDS", 0.01)
    lab = Lab(tmp_path)
    lab.write_state(ports={"functions": 20_000})
    return Town(lab, last_answers=0.1)


def writes(town: Town, posted: Answer) -> None:
    """One writer of that town, whose messages are answered so, until it leaves."""

    def answered(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=FACTS) if request.method == "GET" else posted(request)

    with httpx.Client(transport=httpx.MockTransport(answered)) as client:
        town.write(client, per_second=1000)


def test_a_commit_whose_answer_was_lost_is_asked_for_again_by_a_town_that_stops(town: Town) -> None:
    tries: list[str] = []

    def posted(request: httpx.Request) -> httpx.Response:
        tries.append(json.loads(request.content)["client_ref"])
        town.stopping.set()
        if len(tries) == 1:
            raise httpx.ReadTimeout("the answer was lost", request=request)
        return httpx.Response(200, json=PROOF | {"id": 42})

    writes(town, posted)

    assert [note["id"] for note in read(town.lab.truth_file)] == [42]
    assert len(tries) == 2
    assert len(set(tries)) == 1


@pytest.mark.parametrize("status", [None, 503])
def test_a_town_that_stops_leaves_when_nobody_answers(town: Town, status: int | None) -> None:
    def posted(request: httpx.Request) -> httpx.Response:
        town.stopping.set()
        if status is None:
            raise httpx.ConnectError("nobody is there", request=request)
        return httpx.Response(status)

    writes(town, posted)

    assert not list(read(town.lab.truth_file))


def test_a_message_into_a_channel_that_is_gone_is_not_tried_again(town: Town) -> None:
    tries: list[httpx.Request] = []

    def posted(request: httpx.Request) -> httpx.Response:
        tries.append(request)
        town.stopping.set()
        return httpx.Response(409)

    writes(town, posted)

    assert len(tries) == 1
    assert not list(read(town.lab.truth_file))
