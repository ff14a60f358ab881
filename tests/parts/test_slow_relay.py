"""The bad link of the practice company: later, or slower, and gone together with either side."""

from __future__ import annotations

import asyncio

import pytest

from lab import slow_relay

pytestmark = pytest.mark.parts


async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1024):
        writer.write(piece)
        await writer.drain()
    writer.close()


async def over(seconds: float, rate: int, sent: bytes) -> tuple[bytes, float]:
    """What comes back of it over such a link, and how many seconds that took."""
    clock = asyncio.get_running_loop().time
    there = await asyncio.start_server(repeat, "127.0.0.1", 0)
    port = there.sockets[0].getsockname()[1]
    link = await asyncio.start_server(
        lambda r, w: slow_relay.relay(r, w, "127.0.0.1", port, seconds, rate), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", link.sockets[0].getsockname()[1])
    began = clock()
    writer.write(sent)
    back = await reader.readexactly(len(sent))
    took = clock() - began
    writer.close()
    there.close()
    link.close()
    return back, took


def test_what_is_sent_arrives_later_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_relay, "GOOD_SECONDS", 0.0)
    back, took = asyncio.run(over(0.2, 0, b"select 1"))
    assert back == b"select 1"
    assert took >= 0.4


def test_answers_come_no_faster_than_so_many_bytes_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_relay, "GOOD_SECONDS", 0.0)
    back, took = asyncio.run(over(0.0, 1000, b"x" * 500))
    assert back == b"x" * 500
    assert took >= 0.25, "the last piece need not be waited for"


def test_a_connection_is_as_it_should_be_in_its_first_seconds() -> None:
    back, took = asyncio.run(over(60.0, 1, b"y" * 500))
    assert back == b"y" * 500
    assert took < 60.0


def test_what_is_under_way_is_gone_when_the_other_side_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_relay, "GOOD_SECONDS", 0.0)

    async def says_and_dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"committed")
        await writer.drain()
        writer.close()

    async def heard() -> bytes:
        there = await asyncio.start_server(says_and_dies, "127.0.0.1", 0)
        port = there.sockets[0].getsockname()[1]
        link = await asyncio.start_server(
            lambda r, w: slow_relay.relay(r, w, "127.0.0.1", port, 60.0, 0), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", link.sockets[0].getsockname()[1])
        told = await reader.read()
        writer.close()
        return told

    assert asyncio.run(heard()) == b""
