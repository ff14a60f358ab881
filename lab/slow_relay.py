"""Carries a TCP port on, later or slower than bytes came: a bad link between two servers.

It runs alone in a container, with the standard library: HOST PORT SECONDS BYTES. What comes from HOST arrives so many
seconds later, and no faster than so many bytes a second (0 for as they come); answers arrive as late. The first
seconds of each connection are as they should be, so that it stands before its link goes bad. When either side is gone,
what is still under way is gone with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable

PORT = 5432
GOOD_SECONDS = 3.0
_PIECE = 8192
_HELD_AT_MOST = 64 * 1024**2


async def carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, good: Callable[[], bool], seconds: float, rate: int
) -> None:
    """One direction, until the side that is read from closes."""
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    delivering = asyncio.create_task(_deliver(due, writer, good, rate))
    clock = asyncio.get_running_loop().time
    try:
        while piece := await reader.read(_PIECE):
            due.put_nowait((clock() + (0 if good() else seconds), piece))
            while due.qsize() * _PIECE > _HELD_AT_MOST:
                await asyncio.sleep(0.1)
    finally:
        delivering.cancel()


async def _deliver(
    due: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, good: Callable[[], bool], rate: int
) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        when, piece = await due.get()
        await asyncio.sleep(max(0.0, when - clock()))
        while piece:
            size = len(piece) if good() or not rate else max(1, rate // 4)
            writer.write(piece[:size])
            await writer.drain()
            piece = piece[size:]
            if rate and not good():
                await asyncio.sleep(size / rate)


async def relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int, seconds: float, rate: int
) -> None:
    """One connection of the standby, and the one to its primary that belongs to it."""
    clock = asyncio.get_running_loop().time
    until = clock() + GOOD_SECONDS

    def good() -> bool:
        return clock() < until

    with contextlib.suppress(OSError), contextlib.closing(writer):
        there, back = await asyncio.open_connection(host, port)
        with contextlib.closing(back):
            both = [
                asyncio.create_task(carry(there, writer, good, seconds, rate)),
                asyncio.create_task(carry(reader, back, good, seconds, 0)),
            ]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for one in both:
                one.cancel()


async def main(host: str, port: int, seconds: float, rate: int) -> None:
    """Serve until the container is removed."""
    server = await asyncio.start_server(lambda r, w: relay(r, w, host, port, seconds, rate), "0.0.0.0", PORT)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
