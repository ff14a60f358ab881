"""Commands that a press gives: where there are several services of a procedure's kind, one for each by its name."""

from __future__ import annotations

from collections.abc import Sequence

from actions.stack.stack import Site


def addressed(command: str, about: str, site: Site) -> Sequence[tuple[str, str]]:
    """The command for each service of the kind, with the service; as it is, for nobody by name, where there is but one.

    The name stands after the kind, or at the end where the command does not say the kind.
    """
    names = [one.name for one in site.of_kind(about)] if about else []
    if len(names) < 2:
        return [(command, "")]
    return [(_naming(command.split(), about, name), name) for name in names]


def _naming(words: list[str], about: str, name: str) -> str:
    at = words.index(about) + 1 if about in words else len(words)
    return " ".join([*words[:at], name, *words[at:]])
