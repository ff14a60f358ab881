"""What can go wrong, in Slack's own words and in ours.

SlackError       the Web API refuses a call:            200 {"ok": false, "error": code}
PracticeError    a person in the practice room cannot do what they tried
"""

from __future__ import annotations

from typing import Any

NO_SUCH_BUTTON = "no such button now"


class SlackError(Exception):
    """The Web API refuses a call with one of Slack's error codes."""

    def __init__(self, code: str, *messages: str, **fields: Any) -> None:
        super().__init__(code, *messages)
        self.code = code
        self.messages = messages
        self.fields = fields

    def as_json(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"ok": False, "error": self.code, **self.fields}
        if self.messages:
            answer["response_metadata"] = {"messages": [f"[ERROR] {text}" for text in self.messages]}
        return answer


class PracticeError(Exception):
    """A practice user tried something that the room cannot do; says what to do instead."""

    def __init__(self, code: str, detail: str = "", hint: str = "", **fields: Any) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.hint = hint
        self.fields = fields

    def as_json(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, "detail": self.detail, "hint": self.hint, **self.fields}
