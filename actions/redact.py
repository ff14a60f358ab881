"""Takes secrets out of text before it reaches the journal, the log or Slack."""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

_WORDS = "password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key|credential"
_NAMES = rf"(?:[\w-]*(?:{_WORDS})[\w-]*|pgpass\w*)"
# A value: quoted with doubled or escaped quotes inside, or a run without spaces and separators.
_VALUE = r"(?:'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s'\",;&)}\]]+)"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), HIDDEN),
    # scheme://user:password@host, where the password may hold an @ of its own.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/]+@", re.IGNORECASE), rf"\1:{HIDDEN}@"),
    (re.compile(r"\b(?:xox[a-z](?:\.xox[a-z])?|xapp)-[\w-]+"), HIDDEN),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), HIDDEN),
    (re.compile(r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"), HIDDEN),
    (re.compile(r"https://hooks\.slack\.com/\S+"), HIDDEN),
    (re.compile(r"(\bauthorization\b[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)?\s*)[^\s\"',]+", re.IGNORECASE),
     rf"\1{HIDDEN}"),
    (re.compile(r"(\bbearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"(\b{_NAMES}[\"']?\s*[=:]\s*){_VALUE}", re.IGNORECASE), rf"\1{HIDDEN}"),
    # SQL: ALTER ROLE … PASSWORD 'secret'.
    (re.compile(r"(\bpassword\s+)(?:E?'(?:[^'\\]|''|\\.)*'?)", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"((?:^|\s)--?(?:password|passwd|token|secret)\s+)(?!-)\S+", re.IGNORECASE), rf"\1{HIDDEN}"),
)  # fmt: skip


def redact(text: str) -> str:
    """The text with passwords, tokens and keys replaced."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def excerpt(text: str, limit: int = 1500) -> str:
    """The end of an output, redacted: what is worth keeping in an error's detail."""
    clean = redact(text.strip())
    return clean if len(clean) <= limit else "… " + clean[-limit:]
