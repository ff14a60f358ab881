"""PagerDuty's public interface descriptions, cut to what is asked of them (`tests/data/specs`), for jsonschema."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.support.paths import SPECS

REST, EVENTS = "pagerduty-rest.openapi3.json", "pagerduty-events-v2.openapi3.json"
NULL_IN_THEIR_EXAMPLES = ("resolved_at", "priority", "resolve_reason", "schedule", "start", "end")
"""Their own examples, and the real API, say null in these; the schema forgets it."""

Json = dict[str, Any]


@cache
def spec(name: str) -> Json:
    """A description with `nullable` spelled as jsonschema knows it."""
    loaded: Json = json.loads((SPECS / name).read_text())
    return dict(_spelled(loaded))


def _spelled(part: Any) -> Any:
    if isinstance(part, list):
        return [_spelled(one) for one in part]
    if not isinstance(part, dict):
        return part
    out = {key: _spelled(value) for key, value in part.items() if key not in ("example", "examples", "x-examples")}
    properties = out.get("properties")
    if isinstance(properties, dict):
        out["properties"] = {
            name: {"anyOf": [schema, {"type": "null"}]} if name in NULL_IN_THEIR_EXAMPLES else schema
            for name, schema in properties.items()
        }
    if out.pop("nullable", False) is True:
        return {"anyOf": [out, {"type": "null"}]}
    return out


def operation(name: str, verb: str, path: str) -> Json:
    """One operation of a description."""
    found: Json = spec(name)["paths"][path][verb.lower()]
    return found


def parameters(name: str, verb: str, path: str) -> list[Json]:
    """What an operation takes beside its body."""
    return [_resolved(name, one) for one in operation(name, verb, path).get("parameters", ())]


def request_errors(name: str, verb: str, path: str, body: Json) -> list[str]:
    """What is wrong with a request's body."""
    described = operation(name, verb, path).get("requestBody")
    return _errors(name, _resolved(name, described), body) if described else []


def response_errors(name: str, verb: str, path: str, status: int, body: Any) -> list[str]:
    """What is wrong with a response's body; a status that is not described is wrong too."""
    responses = operation(name, verb, path)["responses"]
    described = responses.get(str(status), responses.get(f"{status // 100}XX"))
    if described is None and (name, status) == (REST, 400):
        # Not every operation of theirs lists it, and each of them can answer it.
        described = {"$ref": "#/components/responses/ArgumentError"}
    if described is None:
        return [f"status {status} is not described"]
    return _errors(name, _resolved(name, described), body)


def _errors(name: str, described: Json, body: Any) -> list[str]:
    content = described.get("content")
    if not content:
        return []
    whole = DRAFT4.create_resource(spec(name))
    registry: Registry[Any] = Registry().with_resource("urn:spec", whole)
    schema = _rooted(content["application/json"]["schema"])
    found = Draft4Validator(schema, registry=registry).iter_errors(body)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def _rooted(part: Any) -> Any:
    """References into the whole description, from a schema that was taken out of it."""
    if isinstance(part, list):
        return [_rooted(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {key: f"urn:spec{value}" if key == "$ref" else _rooted(value) for key, value in part.items()}


def _resolved(name: str, part: Json) -> Json:
    while "$ref" in part:
        found: Any = spec(name)
        for step in part["$ref"].removeprefix("#/").split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            found = found[int(key)] if isinstance(found, list) else found[key]
        part = found
    return part
