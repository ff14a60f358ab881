"""What is kept of other people's API descriptions is whole: nothing in it refers to what was left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.cut_specs import MANIFEST, OPERATIONS, at, bare, cut, manifest_roots, references, roots
from tests.support.paths import SPECS

NAMES = (*OPERATIONS, MANIFEST)


def kept(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SPECS / name).read_text())
    return loaded


@pytest.mark.parametrize("name", NAMES)
def test_all_that_a_description_refers_to_is_kept(name: str) -> None:
    document = kept(name)
    assert all(at(document, pointer) is not None for pointer in references(document))


@pytest.mark.parametrize("name", NAMES)
def test_no_more_is_kept_than_the_tests_ask_for(name: str) -> None:
    document = kept(name)
    begun = manifest_roots(document) if name == MANIFEST else roots(name)
    assert cut(document, begun) == document


def test_what_an_operation_refers_to_is_kept_and_nothing_else() -> None:
    thing = {"type": "object", "properties": {"size": {"$ref": "#/components/schemas/Size"}}}
    answers = {"200": {"$ref": "#/components/responses/Thing"}}
    document = {
        "paths": {"/things": {"get": {"responses": answers}, "post": {}}, "/others": {"get": {}}},
        "components": {
            "responses": {"Thing": {"content": {"application/json": {"schema": thing}}}, "Other": {}},
            "schemas": {"Size": {"type": "integer"}, "Other": {"type": "string"}},
        },
    }
    assert cut(document, [("paths", "/things", "get")]) == {
        "paths": {"/things": {"get": {"responses": answers}}},
        "components": {
            "responses": {"Thing": {"content": {"application/json": {"schema": thing}}}},
            "schemas": {"Size": {"type": "integer"}},
        },
    }


def test_what_an_item_of_a_list_is_referred_to_by_stays_its_number() -> None:
    document = {"paths": {"/a": {"get": {"$ref": "#/any/1"}}}, "any": [{"type": "string"}, {"type": "integer"}]}
    assert cut(document, [("paths", "/a", "get")])["any"] == [{}, {"type": "integer"}]


def test_prose_is_left_out_and_a_property_of_the_same_name_is_not() -> None:
    title = {"type": "string", "description": "Prose"}
    part = {"title": "Prose", "properties": {"title": title}, "required": ["title"]}
    assert bare(part) == {"properties": {"title": {"type": "string"}}, "required": ["title"]}


def test_a_place_that_is_not_there_is_said() -> None:
    with pytest.raises(KeyError, match="/gone"):
        cut({"paths": {}}, [("paths", "/gone", "get")])
