"""Errors a tired person can act on: what happened, what was seen, what to do next.

RecoveryError        a step, a command or a look could not do its work
├── Refused          asked for something that cannot or must not be done; nothing was touched
├── Busy             another run holds the service
├── Away             what does the work does not answer for a moment; the loop tries again by itself
├── Stopped          a person pressed Stop; the step ends at its next safe place
│   └── GaveWay      stopped by itself, because a run began that must not wait for it
└── Fenced           another worker holds the lease; this one must not go on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOT_READ = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, AssertionError)
"""What reading or keeping a value that somebody else made may raise, be it an event or a stored row. The store's own
trouble and a `RecoveryError` are none of them. Whoever goes through many passes over the one and says so."""


def why_not(trouble: BaseException) -> str:
    """Why something could not be read, in a line: what a KeyError alone says is but a name."""
    return f"{type(trouble).__name__}: {trouble}"[:200]


def with_code(message: str, code: str) -> str:
    """A message with the code by which it is found; the only place that says how the two stand together."""
    return f"{message} [{code}]" if message and code else message


def error_said(data: Mapping[str, Any]) -> str:
    """The message and the code of an error as `as_json` kept it; entries of earlier versions have no code."""
    return with_code(str(data.get("error") or ""), str(data.get("code") or ""))


class RecoveryError(Exception):
    """Something went wrong that a person should read.

    `message` says what happened, `detail` what was seen (output, figures), `hint` what to do next. `code` finds it in
    docs/errors.md: `make errors` numbers it, it stays when the message changes, and no other error ever gets it.
    """

    def __init__(self, message: str, *, code: str = "", detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.detail = detail
        self.hint = hint
        for part in (detail, hint):
            if part:
                self.add_note(part)  # So that a traceback, with --debug or in a test, says all of it.

    def as_json(self) -> dict[str, Any]:
        """Its parts under the names that the command line and the journal use."""
        return {"error": self.message, "code": self.code, "detail": self.detail, "hint": self.hint}

    @property
    def said(self) -> str:
        """What happened, as people read it."""
        return with_code(self.message, self.code)

    def words(self, between: str = "\n") -> str:
        """All of it as people read it: what happened, what was seen, what to do next."""
        return between.join(part for part in (self.said, self.detail, self.hint) if part)


class Refused(RecoveryError):
    """What was asked cannot or must not be done; nothing was touched.

    `instead` are the words that were probably meant, each whole for the same place; what is offered as a button.
    """

    def __init__(
        self, message: str, *, code: str = "", detail: str = "", hint: str = "", instead: Sequence[str] = ()
    ) -> None:
        super().__init__(message, code=code, detail=detail, hint=hint)
        self.instead = tuple(instead)

    def as_json(self) -> dict[str, Any]:
        """Its parts, and the words that were probably meant where there are any."""
        return {**super().as_json(), **({"instead": list(self.instead)} if self.instead else {})}


class Busy(Refused):
    """Another run claims it; `run` is its id, `what` it claims a service or the whole site."""

    def __init__(
        self, message: str, *, run: str, what: str = "", code: str = "", detail: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, code=code, detail=detail, hint=hint)
        self.run, self.what = run, what


class Away(RecoveryError):
    """What does the work does not answer now; the loop tries the step again by itself for a while."""


class Stopped(RecoveryError):
    """A person pressed Stop; the step ended at its next safe place."""


class GaveWay(Stopped):
    """A run of a procedure that yields was stopped, because another run claimed its service."""


class Unstorable(ValueError):
    """A value that the store's database cannot hold, such as a text with NUL; nothing was written."""


class Fenced(RecoveryError):
    """The lease went to another worker, so nothing more may be done or written by this one."""
