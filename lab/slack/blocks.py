"""Block Kit's rules: what Slack refuses in a message, a modal or a home tab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.slack.elements import Checker, check_element, check_text
from lab.slack.errors import SlackError
from lab.slack.messages import Json

MOST_TEXT = 40_000
MOST_BLOCK_TEXT = 13_200
MESSAGE_ONLY = {"plan", "task_card", "markdown", "context_actions", "file"}
TASK_STATUS = ("pending", "in_progress", "complete", "error")


def check_message(text: str, blocks: list[Json]) -> None:
    """Raise the error with which Slack refuses such a message."""
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > MOST_TEXT:
        raise SlackError("msg_too_long")
    _refuse_bad("invalid_blocks", blocks, 50, "message")
    if size_of(blocks) > MOST_BLOCK_TEXT:
        raise SlackError("msg_blocks_too_long")


def check_view(view: Json) -> None:
    checker = Checker()
    checker.need(view.get("type") in ("modal", "home"), "/view/type", "must be modal or home")
    for key, most in (("private_metadata", 3000), ("callback_id", 255)):
        checker.need(len(view.get(key) or "") <= most, f"/view/{key}", f"must be at most {most} characters")
    if view.get("type") == "modal":
        _check_modal(checker, view)
    if checker.problems:
        raise SlackError("invalid_arguments", *checker.problems)
    _refuse_bad("invalid_arguments", view.get("blocks") or [], 100, str(view["type"]))


def _check_modal(checker: Checker, view: Json) -> None:
    for key in ("title", "submit", "close"):
        if key == "title" or view.get(key):
            check_text(checker, view.get(key), f"/view/{key}", 24, plain=True)
    has_input = any(b.get("type") == "input" for b in view.get("blocks") or [])
    checker.need(not has_input or bool(view.get("submit")), "/view/submit", "is required with input blocks")


def _refuse_bad(code: str, blocks: Any, most: int, surface: str) -> None:
    checker = Checker()
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    checker.need(len(blocks) <= most, "/blocks", f"no more than {most} items allowed [json-pointer:/blocks]")
    for index, block in enumerate(blocks):
        _check_block(checker, block, f"/blocks/{index}", surface)
    _check_together(checker, [b for b in blocks if isinstance(b, dict)])
    if checker.problems:
        raise SlackError(code, *checker.problems)


def _check_block(checker: Checker, block: Any, at: str, surface: str) -> None:
    kind = block.get("type") if isinstance(block, dict) else None
    rule = RULES.get(str(kind))
    if rule is None:
        checker.need(False, at, f"unsupported type: {kind}")
        return
    checker.need(surface == "message" or kind not in MESSAGE_ONLY, at, f"{kind} is not allowed in a {surface}")
    checker.need(len(block.get("block_id") or "") <= 255, f"{at}/block_id", "must be at most 255 characters")
    rule(checker, block, at)


def _check_together(checker: Checker, blocks: list[Json]) -> None:
    """What no block can break alone."""
    ids = [b["block_id"] for b in blocks if b.get("block_id")]
    checker.need(len(ids) == len(set(ids)), "/blocks", "`block_id` must be unique")
    kinds = [b.get("type") for b in blocks]
    checker.need(not {"plan", "task_card"} <= set(kinds), "/blocks", "plan and task_card exclude each other")
    checker.need(kinds.count("table") <= 1, "/blocks", "only one table is allowed in a message")
    length = sum(len(str(b.get("text") or "")) for b in blocks if b.get("type") == "markdown")
    checker.need(length <= 12_000, "/blocks", "markdown text must be at most 12000 characters together")
    for index, block in enumerate(blocks):
        alone = block.get("type") == "task_card" and block.get("status") == "pending"
        checker.need(not alone, f"/blocks/{index}/status", "pending is allowed inside a plan only")


def _section(checker: Checker, block: Json, at: str) -> None:
    fields = block.get("fields")
    checker.need(bool(block.get("text") or fields), at, "must have text or fields")
    if block.get("text"):
        check_text(checker, block["text"], f"{at}/text", 3000)
    checker.need(len(fields or []) <= 10, f"{at}/fields", "no more than 10 items allowed")
    for index, entry in enumerate(fields or []):
        check_text(checker, entry, f"{at}/fields/{index}", 2000)
    if block.get("accessory"):
        check_element(checker, block["accessory"], f"{at}/accessory")


def _header(checker: Checker, block: Json, at: str) -> None:
    check_text(checker, block.get("text"), f"{at}/text", 150, plain=True)


def _image(checker: Checker, block: Json, at: str) -> None:
    checker.need(bool(block.get("image_url") or block.get("slack_file")), at, "must have image_url or slack_file")
    checker.need(len(block.get("alt_text") or "") in range(1, 2001), f"{at}/alt_text", "is required, at most 2000")


def _elements(most: int) -> Callable[[Checker, Json, str], None]:
    def check(checker: Checker, block: Json, at: str) -> None:
        elements = block.get("elements") or []
        checker.need(1 <= len(elements) <= most, f"{at}/elements", f"must have 1 to {most} items")
        for index, element in enumerate(elements):
            check_element(checker, element, f"{at}/elements/{index}")
        actions = [e.get("action_id") for e in elements if isinstance(e, dict) and e.get("action_id")]
        checker.need(len(actions) == len(set(actions)), at, "`action_id` must be unique in a block")

    return check


def _input(checker: Checker, block: Json, at: str) -> None:
    check_text(checker, block.get("label"), f"{at}/label", 2000, plain=True)
    check_element(checker, block.get("element"), f"{at}/element")


def _markdown(checker: Checker, block: Json, at: str) -> None:
    checker.need(bool(block.get("text")), f"{at}/text", "is required")


def _rich_text(checker: Checker, block: Json, at: str) -> None:
    checker.need(isinstance(block.get("elements"), list), f"{at}/elements", "is required")


def _table(checker: Checker, block: Json, at: str) -> None:
    rows = block.get("rows") or []
    checker.need(1 <= len(rows) <= 100, f"{at}/rows", "must have 1 to 100 rows")
    checker.need(all(1 <= len(row) <= 20 for row in rows), f"{at}/rows", "must have 1 to 20 cells a row")


def _plan(checker: Checker, block: Json, at: str) -> None:
    tasks = block.get("tasks") or []
    checker.need(bool(block.get("title")), f"{at}/title", "is required")
    checker.need(len(tasks) <= 50, f"{at}/tasks", "no more than 50 items allowed")
    ids = [task.get("task_id") for task in tasks]
    checker.need(len(ids) == len(set(ids)), f"{at}/tasks", "`task_id` must be unique")
    for index, task in enumerate(tasks):
        _task_card(checker, task, f"{at}/tasks/{index}")


def _task_card(checker: Checker, block: Json, at: str) -> None:
    checker.need(bool(block.get("task_id")), f"{at}/task_id", "is required")
    checker.need(bool(block.get("title")), f"{at}/title", "is required")
    status = block.get("status") or "in_progress"
    checker.need(status in TASK_STATUS, f"{at}/status", f"must be one of {', '.join(TASK_STATUS)}")
    for key in ("details", "output"):
        value = block.get(key)
        checker.need(not value or value.get("type") == "rich_text", f"{at}/{key}", "must be rich_text")


def _alert(checker: Checker, block: Json, at: str) -> None:
    check_text(checker, block.get("text"), f"{at}/text", 200)


def _free(_checker: Checker, _block: Json, _at: str) -> None:
    """Nothing to hold against it."""


RULES: dict[str, Callable[[Checker, Json, str], None]] = {
    "section": _section,
    "header": _header,
    "divider": _free,
    "image": _image,
    "actions": _elements(25),
    "context": _elements(10),
    "context_actions": _elements(5),
    "input": _input,
    "markdown": _markdown,
    "rich_text": _rich_text,
    "table": _table,
    "plan": _plan,
    "task_card": _task_card,
    "alert": _alert,
    "file": _free,
    "video": _free,
    "card": _free,
    "container": _free,
    "carousel": _free,
}


def size_of(value: Any) -> int:
    """Characters of all texts in a piece of Block Kit."""
    if isinstance(value, list):
        return sum(size_of(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = sum(len(v) for k, v in value.items() if k in ("text", "title", "alt_text") and isinstance(v, str))
    return own + sum(size_of(v) for v in value.values())
