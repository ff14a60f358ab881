"""The object store keeps objects as files that a backup can copy, and keeps them inside of their bucket."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lab.standins.objects import Objects


@pytest.fixture
def store(tmp_path: Path) -> Objects:
    objects = Objects(tmp_path)
    objects.make_bucket("uploads")
    return objects


def test_an_object_comes_back_with_its_headers(store: Objects) -> None:
    store.put("uploads", "a/b.txt", b"hello", {"Content-Type": "text/plain"})

    found = store.look("uploads", "a/b.txt")

    assert found is not None
    assert found.etag == hashlib.md5(b"hello").hexdigest()
    assert found.headers == {"Content-Type": "text/plain"}
    assert store.read("uploads", "a/b.txt") == b"hello"


def test_objects_are_listed_in_order_and_by_prefix(store: Objects) -> None:
    for key in ("b", "a/2", "a/1"):
        store.put("uploads", key, b"x", {})

    assert [found.key for found in store.list("uploads")] == ["a/1", "a/2", "b"]
    assert [found.key for found in store.list("uploads", "a/")] == ["a/1", "a/2"]


def test_a_file_that_was_copied_in_by_hand_is_an_object(store: Objects, tmp_path: Path) -> None:
    (tmp_path / "uploads" / "restored").write_bytes(b"data")

    found = store.look("uploads", "restored")

    assert found is not None
    assert found.etag == hashlib.md5(b"data").hexdigest()


@pytest.mark.parametrize("key", ["../secret", "a/../../secret", ".."])
def test_a_key_cannot_leave_its_bucket(store: Objects, key: str) -> None:
    with pytest.raises(ValueError, match="leaves its bucket"):
        store.put("uploads", key, b"x", {})


def test_parts_become_one_object_in_the_order_of_their_numbers(store: Objects) -> None:
    upload = store.begin_upload()
    store.put_part(upload, 2, b"world")
    store.put_part(upload, 1, b"hello ")

    stored = store.finish_upload(upload, "uploads", "big")

    assert store.read("uploads", "big") == b"hello world"
    assert stored.etag.endswith("-2")


def test_a_bucket_with_objects_is_not_dropped(store: Objects) -> None:
    store.put("uploads", "a", b"x", {})
    assert not store.drop_bucket("uploads")

    store.delete("uploads", "a")
    assert store.drop_bucket("uploads")
    assert not store.has_bucket("uploads")


def test_the_store_does_not_show_its_own_folder_as_a_bucket(store: Objects) -> None:
    store.begin_upload()

    assert [name for name, _ in store.buckets()] == ["uploads"]
    assert not store.has_bucket(".minio.sys")
