"""What the stand-in refuses, in the shape of Statuspage's answers."""

from __future__ import annotations


class Refusal(Exception):
    """A request is refused with an HTTP status and words that a person can read."""

    def __init__(self, status: int, *words: str) -> None:
        super().__init__(status, *words)
        self.status = status
        self.words = words

    def as_json(self) -> dict[str, object]:
        """`message` as its description has it, `error` as it answers: sentences for a body, else one text."""
        return {
            "message": " ".join(self.words),
            "error": list(self.words) if self.status == 422 else " ".join(self.words),
        }


def unauthorised() -> Refusal:
    """The key is missing or wrong."""
    return Refusal(401, "Could not authenticate")


def not_found() -> Refusal:
    """There is no such page, incident or component."""
    return Refusal(404, "The requested resource could not be found.")
