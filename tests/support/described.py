"""Other people's OpenAPI descriptions, cut to what is asked of them (`tests/data/specs`), as JSON Schema."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema

from tests.support.paths import SPECS

Json = dict[str, Any]


class Described:
    """One description: what it says of a request's body and of an answer."""

    def __init__(self, document: Json) -> None:
        self._document = document

    def answer(self, method: str, path: str, status: int) -> Json:
        """The schema of an answer."""
        return self._schema(self._document["paths"][path][method]["responses"][str(status)])

    def body(self, method: str, path: str) -> Json:
        """The schema of a request's body."""
        return self._schema(self._document["paths"][path][method]["requestBody"])

    def check(self, schema: Json, value: Any) -> None:
        """The value fits, in every type, enum and required field."""
        jsonschema.validate(value, {**schema, "components": self._document["components"]})

    def unknown(self, schema: Json, value: Any) -> set[str]:
        """Fields of the value that the description does not know."""
        described = self._seen(schema)
        if isinstance(value, list):
            return {name for item in value for name in self.unknown(described.get("items", {}), item)}
        known = described.get("properties")
        if not isinstance(value, dict) or known is None:
            return set()
        odd = {name for name in value if name not in known}
        return odd.union(*(self.unknown(known[name], value[name]) for name in value if name in known))

    def _schema(self, part: Json) -> Json:
        schema: Json = self._seen(part)["content"]["application/json"]["schema"]
        return schema

    def _seen(self, part: Json) -> Json:
        while "$ref" in part:
            steps = [step.replace("~1", "/").replace("~0", "~") for step in part["$ref"].removeprefix("#/").split("/")]
            part = self._document
            for step in steps:
                part = part[step]
        return part


@cache
def described(name: str) -> Described:
    """A description by its file's name."""
    return Described(_as_json_schema(json.loads((SPECS / f"{name}.openapi3.json").read_text())))


def _as_json_schema(part: Any) -> Any:
    """OpenAPI's `nullable`, and a typing mistake in one of them, in the words of JSON Schema."""
    if isinstance(part, list):
        return [_as_json_schema(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _as_json_schema(value) for key, value in part.items()}
    if kept.get("type") == "Object":
        kept["type"] = "object"
    if kept.get("nullable") is True and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
    return kept
