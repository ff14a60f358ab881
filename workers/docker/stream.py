"""What a command in a container prints, frame by frame, with nothing lost on the way.

docker-py reads the connection's socket past the buffer in which the HTTP client has already taken in the
answer's header. Whatever Docker sent in one piece with that header stays behind in the buffer: a short output
is lost whole while its command succeeds (https://github.com/docker/docker-py/issues/3332). Here the buffer is read.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from functools import partial
from typing import Any

from docker.types import CancellableStream

from workers.docker.command_watch import CommandWatch, Pinger

STDOUT, STDERR = 1, 2

_MOST_BYTES = 65536


def printed(api: Any, exec_id: str, seconds: float) -> Generator[tuple[int, bytes], None, None]:
    """Start an exec; what it prints, as (`STDOUT` or `STDERR`, bytes). Leaving early ends the connection.

    Raises:
        OSError: Docker does not answer, or the connection ended within a frame.
        docker.errors.APIError: Docker refused.
        TimeIsOver: the output has not ended, though the command's limit of so many seconds is over.
    """
    raw = api.exec_start(exec_id, socket=True)
    answer = raw._response
    # A command may say nothing for hours; whether anything can still come is the business of the watch.
    api._disable_socket_timeout(raw)
    end = partial(_end, answer)
    try:
        with closing(Pinger(api)) as ping, CommandWatch(ping, seconds, end) as watch:
            for frame in _frames(answer.raw._fp.fp):
                watch.heard()
                yield frame
    finally:
        end()


def _end(answer: Any) -> None:
    # It knows how to end every kind of connection; to read by it would take a broken one for the end.
    with suppress(OSError):  # It has ended already.
        CancellableStream(iter(()), answer).close()


def _frames(reader: Any) -> Iterator[tuple[int, bytes]]:
    """The frames as Docker's API describes them under "Attach to a container": kind, three zeros, length, bytes."""
    while head := reader.read(8):
        kind, left = struct.unpack(">BxxxL", head) if len(head) == 8 else (0, 0)
        if kind not in (STDOUT, STDERR):
            raise ConnectionError(f"What Docker sent is no frame of a command's output: {head.hex()}")
        while left:
            part = reader.read(min(left, _MOST_BYTES))
            if not part:
                raise ConnectionError("The connection ended within a frame of the command's output.")
            left -= len(part)
            yield kind, part
