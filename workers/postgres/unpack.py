"""Unpacking in the worker what the server's image has no program for, and putting it back beside the server.

Slower than a program in the image, since all of it goes through Docker twice: about ten segments of 16 MB a second.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO, Any

import lz4.frame
import zstandard
from docker.errors import NotFound

from actions.postgres.segment_copy import form_of
from workers.docker.errors import speaking
from workers.docker.exec import Inside

_READERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "gz": lambda packed: gzip.GzipFile(fileobj=packed),
    "xz": lzma.LZMAFile,
    "bz2": bz2.BZ2File,
    "zst": lambda packed: zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True),
    "lz4": lz4.frame.LZ4FrameFile,
}
_LONGEST_TEXT = 1 << 20
_BROKEN = (EOFError, OSError, lzma.LZMAError, zstandard.ZstdError, RuntimeError, ValueError)
"""What the libraries raise where a stream is broken; lz4 raises a bare RuntimeError."""


def unpack_into(inside: Inside, path: str, folder: str, size: int) -> str:
    """Put what a packed file holds into a folder of the container; what is wrong with it, if so.

    It has to hold so many bytes, or any where `size` is 0.
    """
    try:
        data = unpacked(inside, path, size + 1 if size else _LONGEST_TEXT)
    except _BROKEN as broken:
        return f"it cannot be unpacked: {str(broken) or type(broken).__name__}"
    if size and len(data) != size:
        return f"it unpacks to {'more than ' if len(data) > size else ''}{min(len(data), size):,} bytes, not {size:,}"
    _put(inside, folder, PurePosixPath(path).stem, data)
    return ""


def text_of(inside: Inside, path: str) -> str:
    """What a small packed text says, empty where it cannot be unpacked."""
    try:
        return unpacked(inside, path, _LONGEST_TEXT).decode(errors="replace")
    except _BROKEN:
        return ""


def unpacked(inside: Inside, path: str, most: int) -> bytes:
    """The first so many bytes of what a packed file holds. A file that is gone, or broken, is one of `_BROKEN`."""
    packed = io.BytesIO(_fetched(inside, path))
    reader = _READERS[form_of(PurePosixPath(path).name) or ""](packed)
    data: bytes = reader.read(most)
    return data


def _fetched(inside: Inside, path: str) -> bytes:
    with speaking(f"fetching {path}", inside.container):
        try:
            parts, _ = inside.api.get_archive(inside.container, path)
            whole = b"".join(parts)
        except NotFound as gone:
            if "No such container" in str(gone.explanation):
                raise
            raise ValueError("it is gone") from None
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        held = tar.extractfile(tar.getmembers()[0])
        if held is None:
            raise ValueError("it is no file")
        return held.read()


def _put(inside: Inside, folder: str, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o600
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(member, io.BytesIO(data))
    with speaking(f"putting {name} into {folder}", inside.container):
        inside.api.put_archive(inside.container, folder, made.getvalue())
