"""What is wrong with settings, said so that it can be mended: which one, where it stands, what to write instead."""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

_EXAMPLES = {
    "slack.channel": '"C0123456789"',
    "slack.bot_token": '"xoxb-…"',
    "slack.app_token": '"xapp-…"',
    "people.operators": '["U0123456789"]',
    "people.approvers": '["U0123456789"]',
    "people.operator_groups": '["S0123456789"]',
    "people.approver_groups": '["S0123456789"]',
    "operations_zone": '"Europe/Berlin"',
    "store": '"sqlite:////var/lib/mayday/mayday.db"',
    "redis": '"redis://127.0.0.1:6379/0"',
}
"""What to write for settings whose value has a shape."""
_WANTED = {
    "string": ("a text", '"…"'),
    "int": ("a whole number", "1"),
    "float": ("a number", "1"),
    "bool": ("true or false", "true"),
    "tuple": ("a list", '["…"]'),
    "list": ("a list", '["…"]'),
    "dict": ("a table", "{}"),
    "mapping": ("a table", "{}"),
    "date": ("a date", "2026-12-25"),
    "time": ("a time", '"09:00"'),
}
"""By the beginning of pydantic's name of an error: what is wanted, and how it is written."""
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}


def problems(errors: Sequence[Mapping[str, Any]], of: type[BaseModel], read_in: Mapping[str, str]) -> list[str]:
    """A line for each thing that is wrong; `read_in` says which settings come from a variable, and from where."""
    return list(dict.fromkeys(_said(error, of, read_in) for error in errors))


def _said(error: Mapping[str, Any], of: type[BaseModel], read_in: Mapping[str, str]) -> str:
    """One thing that is wrong, with its key: `services.2.kind` for the third of `[[services]]`, counted from 0."""
    parts = error["loc"]
    key = ".".join(map(str, parts))
    what = _what(error, key, of)
    named = f"{key} ({read_in[key]})" if key in read_in else key
    return f"{named}: {what}" if named else what


def _what(error: Mapping[str, Any], key: str, of: type[BaseModel]) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "extra_forbidden":
        return _no_such(error["loc"], of)
    if kind == "missing":
        return f"it is missing; write {_line(key, of)}"
    if kind in ("model_type", "model_attributes_type"):
        table = _table(error["loc"])
        return f"{_seen(error['input'])} stands where a table is wanted; write {table} and its settings below it"
    if kind == "literal_error":
        return f"{_shown(error['input'])} is not known; write {_choices(str(context.get('expected', '')))}"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{error['input']} is out of range; it has to be {words} {context[bound]}"
    if kind == "string_pattern_mismatch":
        return f"{_shown(error['input'])} does not have the form {context.get('pattern')}"
    wanted = next((words for begins, words in _WANTED.items() if kind.startswith(begins)), None)
    if wanted is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return f"{_seen(error['input'])} stands where {wanted[0]} is wanted; write {_line(key, of, wanted[1])}"


def _no_such(loc: Sequence[int | str], of: type[BaseModel]) -> str:
    """An unknown name, with the one that was probably meant: of the same table first, then of any other."""
    name, own = str(loc[-1]), _model_at(of, loc[:-1])
    before = ".".join(map(str, loc[:-1]))
    siblings = list(own.model_fields) if own else []
    at_top = {f"{section}.{name}" for section, field in of.model_fields.items() if name in _fields(field.annotation)}
    near = get_close_matches(name, siblings, 1, 0.6)
    if near:
        return f"there is no such setting; did you mean {'.'.join(filter(None, (before, near[0])))}?"
    if at_top:
        section, _, key = min(at_top).partition(".")
        return f"there is no such setting here; it belongs below [{section}], as {key} = …"
    if name in of.model_fields:
        return "there is no such setting here; it belongs at the top of the file, above the first [table]"
    return f"there is no such setting; here stand {', '.join(siblings)}" if siblings else "there is no such setting"


def _line(key: str, of: type[BaseModel], value: str = '"…"') -> str:
    """How a setting is written, as it stands in its table."""
    return f"{key.rpartition('.')[2]} = {_EXAMPLES.get(key, value)}"


def _table(loc: Sequence[int | str]) -> str:
    names = ".".join(str(part) for part in loc if isinstance(part, str))
    return f"[[{names}]]" if any(isinstance(part, int) for part in loc) else f"[{names}]"


def _choices(expected: str) -> str:
    return expected.replace("'", '"')


def _seen(value: object) -> str:
    """The kind of what stands there, in words of TOML; its value may be a secret."""
    kinds: Iterable[tuple[type, str]] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "a text"),
        (dict, "a table"),
        (list, "a list"),
        (tuple, "a list"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), "something else")


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:60]


def _model_at(of: type[BaseModel], loc: Sequence[int | str]) -> type[BaseModel] | None:
    """The table at a place of the settings; an index of a list changes nothing."""
    here: type[BaseModel] | None = of
    for part in loc:
        if isinstance(part, int) or here is None:
            continue
        field = here.model_fields.get(part)
        here = next(iter(_models(field.annotation)), None) if field else None
    return here


def _models(kind: Any) -> list[type[BaseModel]]:
    """The tables that a field's type is, or holds."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    origin = get_origin(kind)
    if origin in (tuple, list, dict, Union, types.UnionType):
        return [model for inner in get_args(kind) for model in _models(inner)]
    return []


def _fields(kind: Any) -> set[str]:
    return {name for model in _models(kind) for name in model.model_fields}
