"""Buckets and objects as plain files, as the object store's data directory on the host shows them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

_SYSTEM = ".minio.sys"


class _Note(TypedDict):
    """What a file itself cannot tell about its object."""

    etag: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Stored:
    """What is known about one object."""

    key: str
    size: int
    etag: str
    modified: float
    headers: dict[str, str]


class Objects:
    """The store under one directory. Notes about objects lie in its system folder, data lies open."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._system = root / _SYSTEM

    def buckets(self) -> list[tuple[str, float]]:
        names = sorted(p for p in self._root.iterdir() if p.is_dir() and not p.name.startswith("."))
        return [(found.name, found.stat().st_mtime) for found in names]

    def has_bucket(self, bucket: str) -> bool:
        return not bucket.startswith(".") and (self._root / bucket).is_dir()

    def make_bucket(self, bucket: str) -> None:
        (self._root / bucket).mkdir(exist_ok=True)

    def drop_bucket(self, bucket: str) -> bool:
        """Whether it was empty, and so is gone now."""
        if next(self.list(bucket), None):
            return False
        shutil.rmtree(self._root / bucket)
        return True

    def put(self, bucket: str, key: str, body: bytes, headers: dict[str, str], etag: str = "") -> Stored:
        """Replaces an object in one rename: a reader sees the old bytes or the new ones."""
        place = self._place(bucket, key)
        place.parent.mkdir(parents=True, exist_ok=True)
        note = _Note(etag=etag or hashlib.md5(body).hexdigest(), headers=headers)
        self._write(self._note(bucket, key), json.dumps(note).encode())
        self._write(place, body)
        return Stored(key, len(body), note["etag"], place.stat().st_mtime, headers)

    def look(self, bucket: str, key: str) -> Stored | None:
        place = self._place(bucket, key)
        if not place.is_file():
            return None
        note = self._read_note(bucket, key, place)
        return Stored(key, place.stat().st_size, note["etag"], place.stat().st_mtime, note["headers"])

    def read(self, bucket: str, key: str) -> bytes:
        return self._place(bucket, key).read_bytes()

    def delete(self, bucket: str, key: str) -> None:
        self._place(bucket, key).unlink(missing_ok=True)
        self._note(bucket, key).unlink(missing_ok=True)

    def list(self, bucket: str, prefix: str = "") -> Iterator[Stored]:
        """Objects in the order of their keys."""
        root = self._root / bucket
        keys = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
        for key in keys:
            found = self.look(bucket, key) if key.startswith(prefix) else None
            if found:
                yield found

    def begin_upload(self) -> str:
        upload = uuid.uuid4().hex
        (self._system / "uploads" / upload).mkdir(parents=True)
        return upload

    def put_part(self, upload: str, number: int, body: bytes) -> str:
        self._write(self._upload(upload) / f"{number:05d}", body)
        return hashlib.md5(body).hexdigest()

    def finish_upload(self, upload: str, bucket: str, key: str) -> Stored:
        parts = [part.read_bytes() for part in sorted(self._upload(upload).glob("[0-9]*"))]
        digests = b"".join(hashlib.md5(part).digest() for part in parts)
        etag = f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"
        stored = self.put(bucket, key, b"".join(parts), {}, etag)
        self.drop_upload(upload)
        return stored

    def drop_upload(self, upload: str) -> None:
        shutil.rmtree(self._upload(upload), ignore_errors=True)

    def _upload(self, upload: str) -> Path:
        return self._system / "uploads" / uuid.UUID(upload).hex

    def _place(self, bucket: str, key: str) -> Path:
        root = (self._root / bucket).resolve()
        place = Path(os.path.normpath(root / key))
        if root not in place.parents:
            raise ValueError(f"the key {key!r} leaves its bucket")
        return place

    def _note(self, bucket: str, key: str) -> Path:
        return self._system / "notes" / f"{hashlib.sha256(f'{bucket}/{key}'.encode()).hexdigest()}.json"

    def _read_note(self, bucket: str, key: str, place: Path) -> _Note:
        try:
            note: _Note = json.loads(self._note(bucket, key).read_bytes())
        except FileNotFoundError:
            # Files that were copied in by hand, as a restore does, have no note yet.
            return _Note(etag=hashlib.md5(place.read_bytes()).hexdigest(), headers={})
        return note

    def _write(self, place: Path, body: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = self._system / "tmp" / uuid.uuid4().hex
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(body)
        draft.replace(place)
