"""Takes secrets out of text before it reaches the journal, the log or Slack.

Anybody may have written the text, so no rule may take longer than its length deserves: quantifiers are possessive
(``++``) or bounded, and a name is looked at from its beginning alone.
"""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

MOST = 65_536
"""Of a longer text only the end is looked at, and kept; it begins with a whole line where there is one."""

_SECRET_NAME = re.compile(
    r"password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|pgpass|cookie",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![\w-])([\w-]++)[\"']?+\s*+[=:]\s*+")
# Quoted with doubled or escaped quotes inside, an open quote up to the end of its line, or a run without spaces and
# separators.
_VALUE = re.compile(r"'(?:[^'\\]|''|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"|['\"][^\n]*+|[^\s'\",;&)}\]]++", re.DOTALL)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        HIDDEN,
    ),
    # scheme://user:password@host, where the password may hold an @ of its own.
    (
        re.compile(r"(?<![\w+.-])([a-z][a-z0-9+.-]{0,30}+://[^\s:/@]{0,200}+):[^\s/]{1,500}@", re.IGNORECASE),
        rf"\1:{HIDDEN}@",
    ),
    (re.compile(r"\b(?:xox[a-z](?:\.xox[a-z])?|xapp)-[\w-]++"), HIDDEN),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), HIDDEN),
    (
        re.compile(
            r"(?<![\w-])(?:gh[pousr]_\w{20,255}+|github_pat_\w{20,255}+|glpat-[\w-]{16,255}+|hv[sbr]\.[\w-]{16,512}+"
            r"|[srp]k_(?:live|test)_\w{10,255}+|whsec_[\w+/=]{16,255}+|sk-[\w-]{20,255}+|AIza[\w-]{30,60}+"
            r"|npm_\w{30,64}+|dop_v1_\w{40,80}+|SG\.[\w-]{16,64}+\.[\w-]{16,64}+)"
        ),
        HIDDEN,
    ),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,8192}+\.[\w-]{8,8192}+\.[\w-]{0,8192}+"), HIDDEN),
    (re.compile(r"https://hooks\.slack\.com/\S++"), HIDDEN),
    (
        re.compile(
            r"(\bauthorization\b[\"']?+\s{0,9}+[:=]\s{0,9}+[\"']?+(?:(?:bearer|basic|token|digest)\s{1,9}+)?)"
            r"[^\s\"',]++",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(\bbearer\s{1,9}+)[\w.~+/=-]{8,}+", re.IGNORECASE), rf"\1{HIDDEN}"),
    # A header holds several values in its one line.
    (re.compile(r"(\b(?:set-)?cookie:[ \t]{0,9}+)[^\r\n'\"]++", re.IGNORECASE), rf"\1{HIDDEN}"),
    # SQL: ALTER ROLE … PASSWORD 'secret'.
    (re.compile(r"(\bpassword\s{1,9}+)E?+(?:'(?:[^'\\]|''|\\.)*+'|'[^\n]*+)", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(r"((?<!\S)--?(?:password|passwd|token|secret|api-key)\s{1,9}+)(?!-)\S++", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    # curl -u name:password
    (re.compile(r"((?<!\S)(?:-u|--user|--proxy-user)[ =]{0,3}+[\"']?+[^\s:\"']{1,200}+:)[^\s\"']++"), rf"\1{HIDDEN}"),
)


def redact(text: str) -> str:
    """The text with passwords, tokens and keys replaced; the end of it where it is longer than `MOST`."""
    text = _end(text)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return _hide_values(text)


def excerpt(text: str, limit: int = 1500) -> str:
    """The end of an output, redacted: what is worth keeping in an error's detail."""
    clean = redact(text.strip())
    return clean if len(clean) <= limit else "… " + clean[-limit:]


def _hide_values(text: str) -> str:
    """What stands after the name of a secret and a sign."""
    parts, at = list[str](), 0
    for found in _NAME.finditer(text):
        value = _VALUE.match(text, found.end()) if found.start() >= at and _SECRET_NAME.search(found[1]) else None
        if value is not None:
            parts += [text[at : found.end()], HIDDEN]
            at = value.end()
    return "".join([*parts, text[at:]])


def _end(text: str) -> str:
    """Cut at a line's beginning: half of a secret would not be known as one."""
    if len(text) <= MOST:
        return text
    kept = text[-MOST:]
    _, broken, rest = kept.partition("\n")
    return "… " + (rest if broken and rest else kept)
