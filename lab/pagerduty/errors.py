"""What can go wrong, in PagerDuty's words and in ours.

PagerDutyError   an API refuses a call, with PagerDuty's status and code
PracticeError    a person at the practice PagerDuty cannot do what they tried
"""

from __future__ import annotations

from typing import Any

ALREADY_RESOLVED = 1001
ALREADY_ACKNOWLEDGED = 1002
NO_SUCH_REQUESTER = 1008
NOBODY_ON_CALL = 1015
INVALID = 2001
UNAUTHENTICATED = 2006
FORBIDDEN = 2010
RATE_LIMITED = 2020
NOT_FOUND = 2100


class PagerDutyError(Exception):
    """An API refuses a call."""

    def __init__(self, status: int, code: int, message: str, *errors: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def as_json(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "code": self.code}
        return {"error": error | ({"errors": list(self.errors)} if self.errors else {})}


class PracticeError(Exception):
    """A practice person tried something that cannot be done; says what to do instead."""

    def __init__(self, code: str, detail: str = "", hint: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.hint = hint

    def as_json(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, "detail": self.detail, "hint": self.hint}


def not_found(what: str = "Not Found") -> PagerDutyError:
    return PagerDutyError(404, NOT_FOUND, what)


def invalid(*errors: str) -> PagerDutyError:
    return PagerDutyError(400, INVALID, "Invalid Input Provided", *errors)
