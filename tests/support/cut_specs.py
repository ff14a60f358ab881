"""Cuts out of other people's API descriptions what the tests ask of them: `python -m tests.support.cut_specs FOLDER`.

FOLDER holds the whole descriptions under the names below; what is cut goes to `tests/data/specs`, under the same names.
An operation is kept with all that its `$ref`s lead to. What no check reads is left out: prose, examples, headers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.paths import SPECS

Pointer = tuple[str, ...]

UNREAD = {
    *("description", "title", "summary", "example", "examples", "externalDocs", "default", "deprecated", "format"),
    *("readOnly", "discriminator", "operationId", "tags", "security", "callbacks", "links", "headers", "servers"),
}
UNREAD_OF_A_PARAMETER = {"schema", "style", "explode"}
NAMED = {
    *("properties", "patternProperties", "definitions"),
    *("schemas", "responses", "parameters", "requestBodies", "paths"),
}
"""Below these the keys are names and no keywords: a property may well be called `title`."""

INCIDENT, POSTS = "/incidents/{id}", "/status_pages/{id}/posts"
HOOK, UPDATES = "/webhook_subscriptions/{id}", f"{POSTS}/{{post_id}}/post_updates"
PAGE = "/pages/{page_id}"
OPERATIONS = {
    "pagerduty-rest.openapi3.json": {
        "/abilities": "get",
        "/escalation_policies": "get",
        "/escalation_policies/{id}": "get",
        "/incidents": "get put",
        INCIDENT: "get put",
        f"{INCIDENT}/alerts": "get",
        f"{INCIDENT}/merge": "put",
        f"{INCIDENT}/notes": "get post",
        "/oncalls": "get",
        "/priorities": "get",
        "/services": "get",
        "/services/{id}": "get",
        "/status_pages": "get",
        POSTS: "get post",
        f"{POSTS}/{{post_id}}": "get",
        UPDATES: "get post",
        "/status_pages/{id}/impacts": "get",
        "/status_pages/{id}/services": "get",
        "/status_pages/{id}/severities": "get",
        "/status_pages/{id}/statuses": "get",
        "/users": "get",
        "/users/{id}": "get",
        "/webhook_subscriptions": "get post",
        HOOK: "get put delete",
        f"{HOOK}/enable": "post",
        f"{HOOK}/ping": "post",
    },
    "pagerduty-events-v2.openapi3.json": {"/enqueue": "post"},
    "statuspage.openapi3.json": {
        PAGE: "get",
        f"{PAGE}/components": "get",
        f"{PAGE}/components/{{component_id}}": "get patch",
        f"{PAGE}/incidents": "get post",
        f"{PAGE}/incidents/unresolved": "get",
        f"{PAGE}/incidents/{{incident_id}}": "get patch",
        f"{PAGE}/incidents/{{incident_id}}/incident_updates/{{incident_update_id}}": "patch",
    },
}
"""What the tests send and answer. An operation that is missing here fails the test that asks for it."""

BESIDE = {"pagerduty-rest.openapi3.json": [("components", "responses", "ArgumentError")]}
MANIFEST = "slack-manifest.schema.2.0.0.json"
MANIFEST_PARTS = ("_metadata", "display_information", "features", "oauth_config", "settings")


def roots(name: str) -> list[Pointer]:
    """Where the walk through a description begins."""
    operations = [("paths", path, verb) for path, verbs in OPERATIONS[name].items() for verb in verbs.split()]
    return [*operations, *BESIDE.get(name, ()), ("openapi",)]


def manifest_roots(schema: dict[str, Any]) -> list[Pointer]:
    """The parts of a manifest that ours has, and what is asked of it as a whole."""
    whole = [(key,) for key in schema if key not in ("properties", "definitions")]
    return [*whole, *(("properties", part) for part in MANIFEST_PARTS)]


def cut(document: dict[str, Any], begun: list[Pointer]) -> dict[str, Any]:
    """The document with what the pointers name, and with what that refers to, at the same places as before.

    KeyError, or IndexError, where it has no such place.
    """
    kept: set[Pointer] = set()
    waiting = list(begun)
    while waiting:
        pointer = waiting.pop()
        if pointer not in kept:
            kept.add(pointer)
            waiting.extend(references(bare(at(document, pointer))))
    return dict(pruned(document, kept))


def at(document: Any, pointer: Pointer) -> Any:
    for step in pointer:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def references(part: Any) -> Iterator[Pointer]:
    """Every place of the same document that the part refers to."""
    if isinstance(part, list):
        for one in part:
            yield from references(one)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            steps = part["$ref"].removeprefix("#/").split("/")
            yield tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
        for one in part.values():
            yield from references(one)


def pruned(part: Any, kept: set[Pointer], here: Pointer = ()) -> Any:
    """The part without what lies on no way to a kept place. Items of lists keep their number."""
    if here in kept:
        return bare(part)
    on_the_way = {pointer[len(here)] for pointer in kept if pointer[: len(here)] == here}
    if isinstance(part, list):
        return [pruned(one, kept, (*here, str(n))) if str(n) in on_the_way else {} for n, one in enumerate(part)]
    return {key: pruned(one, kept, (*here, key)) for key, one in part.items() if key in on_the_way}


def bare(part: Any) -> Any:
    """The part without what no check reads."""
    if isinstance(part, list):
        return [bare(one) for one in part]
    if not isinstance(part, dict):
        return part
    unread = UNREAD | UNREAD_OF_A_PARAMETER if isinstance(part.get("in"), str) else UNREAD
    read = {key: one for key, one in part.items() if key not in unread and not key.startswith("x-")}
    return {key: named(one) if key in NAMED else bare(one) for key, one in read.items()}


def named(parts: Any) -> Any:
    """The parts, whatever their names."""
    return {name: bare(one) for name, one in parts.items()} if isinstance(parts, dict) else bare(parts)


def main(folder: Path) -> None:
    for name in OPERATIONS:
        write(name, cut(json.loads((folder / name).read_text()), roots(name)))
    schema = json.loads((folder / MANIFEST).read_text())
    write(MANIFEST, cut(schema, manifest_roots(schema)))


def write(name: str, document: dict[str, Any]) -> None:
    (SPECS / name).write_text(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
