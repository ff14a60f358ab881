"""The rules of texts, buttons, menus, inputs and confirm dialogs inside of blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lab.slack.messages import Json

INTERACTIVE = (
    "button",
    "static_select",
    "multi_static_select",
    "users_select",
    "overflow",
    "checkboxes",
    "radio_buttons",
    "plain_text_input",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "number_input",
    "conversations_select",
    "channels_select",
    "icon_button",
    "feedback_buttons",
)
MOST_OPTIONS = {"overflow": 5, "checkboxes": 10, "radio_buttons": 10}


@dataclass
class Checker:
    """Collects what is wrong, with the place of each as a JSON pointer."""

    problems: list[str] = field(default_factory=list)

    def need(self, holds: bool, at: str, why: str) -> None:
        if not holds:
            self.problems.append(f"{why} [json-pointer:{at}]")


def check_text(checker: Checker, text: Any, at: str, most: int, plain: bool = False) -> None:
    if not isinstance(text, dict) or text.get("type") not in ("plain_text", "mrkdwn"):
        checker.need(False, at, "must be a text object")
        return
    checker.need(not plain or text["type"] == "plain_text", at, "must be plain_text")
    length = len(text.get("text") or "")
    checker.need(length > 0, f"{at}/text", "must be more than 0 characters")
    checker.need(length <= most, f"{at}/text", f"must be less than {most + 1} characters")


def check_element(checker: Checker, element: Any, at: str) -> None:
    kind = element.get("type") if isinstance(element, dict) else None
    if kind in ("plain_text", "mrkdwn"):
        check_text(checker, element, at, 2000)
    elif kind == "image":
        checker.need(bool(element.get("alt_text")), f"{at}/alt_text", "is required")
    elif kind in INTERACTIVE:
        _check_interactive(checker, element, at)
    else:
        checker.need(False, at, f"unsupported element type: {kind}")


def _check_interactive(checker: Checker, element: Json, at: str) -> None:
    _at_most(checker, element, "action_id", 255, at)
    if element["type"] == "button":
        _check_button(checker, element, at)
    if "options" in element:
        _check_options(checker, element, at)
    if element.get("placeholder"):
        check_text(checker, element["placeholder"], f"{at}/placeholder", 150, plain=True)
    if element["type"] == "datetimepicker" and "initial_date_time" in element:
        given = element["initial_date_time"]
        checker.need(isinstance(given, int) and 10**9 <= given < 10**10, f"{at}/initial_date_time", "needs 10 digits")
    if element.get("confirm"):
        _check_confirm(checker, element["confirm"], f"{at}/confirm")
    checker.need(int(element.get("max_length") or 0) <= 3000, f"{at}/max_length", "must be at most 3000")


def _check_button(checker: Checker, element: Json, at: str) -> None:
    check_text(checker, element.get("text"), f"{at}/text", 75, plain=True)
    _at_most(checker, element, "value", 2000, at)
    _at_most(checker, element, "url", 3000, at)
    style = element.get("style")
    checker.need(style in (None, "primary", "danger"), f"{at}/style", "must be primary or danger")


def _check_options(checker: Checker, element: Json, at: str) -> None:
    options = element["options"]
    most = MOST_OPTIONS.get(element["type"], 100)
    checker.need(1 <= len(options) <= most, f"{at}/options", f"must have 1 to {most} items")
    for index, option in enumerate(options):
        check_text(checker, option.get("text"), f"{at}/options/{index}/text", 75)
        _at_most(checker, option, "value", 150, f"{at}/options/{index}")


def _check_confirm(checker: Checker, confirm: Json, at: str) -> None:
    check_text(checker, confirm.get("title"), f"{at}/title", 100, plain=True)
    check_text(checker, confirm.get("text"), f"{at}/text", 300)
    for key in ("confirm", "deny"):
        if confirm.get(key):
            check_text(checker, confirm[key], f"{at}/{key}", 30, plain=True)


def _at_most(checker: Checker, element: Json, key: str, most: int, at: str) -> None:
    value = element.get(key)
    fine = value is None or (isinstance(value, str) and len(value) <= most)
    checker.need(fine, f"{at}/{key}", f"must be a text of at most {most} characters")
