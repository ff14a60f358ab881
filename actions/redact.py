"""Takes secrets out of text before it reaches the journal, the log or Slack.

Anybody may have written the text, so no rule may take longer than its length deserves: quantifiers are possessive
(``++``) or bounded, and a name is looked at from its beginning alone.
"""

from __future__ import annotations

import re

from actions.secret_formats import TOKEN

HIDDEN = "[hidden]"

MOST = 65_536
"""Of a longer text only the end is looked at, and kept; it begins with a whole line where there is one."""

_SECRET_NAME = re.compile(
    r"password|passwd|passphrase|secret|token|(?:api|access|private|account|shared)[-_]?key|credential|pgpass|cookie"
    r"|(?:^|[-_])(?:pass|pwd|pw)$",
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
    (TOKEN, HIDDEN),
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
    # mysql -psecret, sshpass -p secret, redis-cli -a secret
    (re.compile(r"(\bmysql\w{0,10}+\b[^\n|;]{0,200}? -p)(?=\S)(?!ort)[^\s]++"), rf"\1{HIDDEN}"),
    (re.compile(r"(\b(?:sshpass\s{1,9}+-p|redis-cli\b[^\n|;]{0,200}? (?:-a|--pass))\s{0,9}+)[^\s]++"), rf"\1{HIDDEN}"),
    # redis.conf, and a session of redis-cli
    (re.compile(r"(\b(?:requirepass|masterauth)\s{1,9}+)\S++", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(^[\w.:-]{1,80}+> ?AUTH[ \t]{1,9}+)[^\r\n]++", re.MULTILINE), rf"\1{HIDDEN}"),
    # MySQL: IDENTIFIED BY 'secret'
    (
        re.compile(
            r"(\bidentified\s{1,9}+(?:with\s{1,9}+\S{1,80}+\s{1,9}+)?(?:by|as)\s{1,9}+['\"])[^'\"\n]++", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    # A shared access signature in a URL
    (
        re.compile(r"([?&](?:sig|signature|x-amz-signature|x-amz-security-token)=)[^\s&#'\"]++", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    # A line of .pgpass: host:port:database:user:password
    (
        re.compile(r"^([^\s:]{1,200}+:(?:\*|\d{4,5}):[^\s:]{1,63}+:[^\s:]{1,63}+:)[^\s:]++$", re.MULTILINE),
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
