"""Facts: frozen dataclasses that looks find, kept as JSON and rebuilt by their type.

A field made with `volatile()` may change while people decide (how long ago, how many rows so far)
without making an approval void; every other field is part of the plan's hash.
"""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from actions.engine.journal import canonical

_VOLATILE = "volatile"


def volatile(**given: Any) -> Any:
    """A dataclass field that is shown but not approved."""
    return dataclasses.field(metadata={_VOLATILE: True}, **given)


def to_json(value: Any) -> Any:
    """A fact as plain JSON values."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


def from_json(kind: Any, data: Any) -> Any:
    """The fact of that type, rebuilt from what the journal kept."""
    return _adapter(kind).validate_python(data, strict=False)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Building one takes longer than all its uses in a run, so each type has one for good."""
    return TypeAdapter(kind)


def steady(value: Any) -> Any:
    """A fact without its volatile fields, as JSON: what an approval covers."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kept = (f for f in dataclasses.fields(value) if not f.metadata.get(_VOLATILE))
        return {f.name: steady(getattr(value, f.name)) for f in kept}
    if isinstance(value, (list, tuple)):
        return [steady(item) for item in value]
    if isinstance(value, dict):
        return {str(key): steady(item) for key, item in value.items()}
    return to_json(value)


def exceeds(seen: Any, shown: Any) -> str:
    """Why a volatile fact is no longer what an answer to the one `shown` covers; empty where it is."""
    judge = getattr(seen, "exceeds", None)
    return str(judge(shown)) if callable(judge) else ""


def plan_hash(procedure: str, request: Any, facts: dict[str, Any]) -> str:
    """The hash that an approval covers: what was asked, and every steady fact that was shown."""
    shown = {"procedure": procedure, "request": to_json(request), "facts": {k: steady(v) for k, v in facts.items()}}
    return hashlib.sha256(canonical(shown).encode(errors="surrogatepass")).hexdigest()
