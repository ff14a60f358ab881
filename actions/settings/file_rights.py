"""Whether files with secrets are their owner's alone: the settings, where any stands in them, and the variables."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

from actions.findings import Finding
from actions.settings.variables import PLACES, SECRETS, variables_file

_OTHERS = 0o077
_NAME = "settings' rights"


def check(settings: Path) -> Iterator[Finding]:
    """One finding for both files; nothing where neither holds a secret."""
    beside = variables_file(settings)
    private = [path for path in (settings, beside) if path.exists() and (path == beside or _has_secrets(path))]
    if not private:
        return
    hidden = [str(path) for path in private if not os.access(path, os.R_OK)]
    if hidden:
        yield Finding(_NAME, False, f"{', '.join(hidden)}: this user may not read it, so its tokens are not known here")
        return
    open_ones = [f"{path} ({path.stat().st_mode & 0o777:o})" for path in private if path.stat().st_mode & _OTHERS]
    said = f"others may read: {', '.join(open_ones)}" if open_ones else "what holds tokens is its owner's alone"
    do = f"chmod 600 {' '.join(one.split(' (')[0] for one in open_ones)}" if open_ones else ""
    yield Finding(_NAME, not open_ones, said, do)


def _has_secrets(settings: Path) -> bool:
    """Whether a token stands in the settings, or an address with a password."""
    try:
        given = tomllib.loads(settings.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return True
    sections = {name: given.get(name) for name in SECRETS}
    tokens = (of.get(key) for name, of in sections.items() if isinstance(of, dict) for key in SECRETS[name])
    return any(tokens) or any("@" in str(given.get(place, "")) for place in PLACES)
