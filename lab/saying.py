"""What the practice room answered, as the command line says it; a refusal becomes an error for people."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Any

from actions.engine.errors import Refused


class Answer(StrEnum):
    """Which command's answer it is."""

    SAY = "say"
    CLICK = "click"
    RAW = "raw"


def said(answer: dict[str, Any], kind: Answer) -> dict[str, Any]:
    """The answer with its ephemeral texts under `answer`.

    Raises:
        Refused: the room would not do it.
    """
    if not answer.get("ok", True):
        code, detail = str(answer.get("error", "refused")), str(answer.get("detail") or "")
        hint = str(answer.get("hint") or "Look at the thread: mayday lab thread")
        # What the bot refused is said in its own words; the room's codes are for its own refusals.
        raise Refused(detail or code, detail=code if detail else "", hint=hint)
    texts = [text if isinstance(text, str) else str(text.get("text", text)) for text in answer.get("answers") or ()]
    told = "\n".join(texts) or None
    if kind is Answer.SAY:
        kept = {key: answer.get(key) for key in ("thread", "run", "trigger_id", "ts")}
        return {**kept, "answer": told}
    return {"ok": True, "answer": told} if kind is Answer.CLICK else answer


def print_json(value: Any) -> None:
    """One JSON document on standard output and nothing else."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
