"""What a step's functions can take: the request's fields, the facts so far, the tools."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeVar

from actions.engine import facts as facts_of
from actions.engine import injection
from actions.engine.errors import Refused
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.store.store import Store
from actions.tools.registry import SiteTools


class ToolSet(Protocol):
    """Tools by name: a dataclass with a field for each, as `SiteTools` and `ErrandTools` are."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


Opened = TypeVar("Opened", bound=ToolSet, covariant=True)


class Toolbox(Protocol[Opened]):
    """Opens the tools for carrying one run out, and closes them after."""

    def open(self, run: Run) -> AbstractContextManager[Opened]:
        """All of them, whatever the run takes."""


def by_name(tools: ToolSet) -> dict[str, Any]:
    """The tools by the names under which steps take them."""
    return {field.name: getattr(tools, field.name) for field in dataclasses.fields(tools)}


Elsewhere = Callable[[str], Toolbox[SiteTools]]
"""The toolbox of a site by its name; refused where it is not to be reached from here."""


def nowhere(site: str) -> Toolbox[SiteTools]:
    """For whoever reaches one site alone.

    Raises:
        Refused: always.
    """
    raise Refused(
        f"The site '{site}' cannot be reached from here.",
        code="MD-RUN-041",
        detail="This worker has the tools of one site alone. Nothing was done there.",
        hint="Have it carried out by a worker whose settings tell of both sites.",
    )


class OpenToolbox:
    """The tools of one execution of a run. Reopened after an absence, so that commands left behind have ended first.

    They are those of its own site, and of the one that the procedure's `there` names by a field of its request.
    """

    def __init__(
        self,
        store: Store,
        toolbox: Toolbox[ToolSet],
        run: str,
        procedure: Procedure,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._store, self._toolbox, self._run = store, toolbox, run
        self._there, self._there_about = procedure.there, procedure.there_about
        self._elsewhere = elsewhere or nowhere
        self._stack = ExitStack()
        self.tools: dict[str, Any] = {}

    def __enter__(self) -> OpenToolbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def reopen(self) -> None:
        """Put the tools away and take them out anew."""
        self._stack.close()
        self.tools.clear()
        run = self._store.run(self._run)
        opened = by_name(self._stack.enter_context(self._toolbox.open(run)))
        if self._there:
            opened[injection.SECOND_SITE] = self._second(run)
        self.tools.update(opened)

    def _second(self, run: Run) -> Any:
        """The tools of the second site, about the service there: what is made with them has names of its own."""
        site, about = str(run.request[self._there]), str(run.request.get(self._there_about, ""))
        if site == run.site:
            return self._stack.enter_context(self._toolbox.open(replace(run, site="", service=about)))
        return self._stack.enter_context(self._elsewhere(site).open(replace(run, service=about)))


class _Scope(dict[str, Any]):
    """Values by name. A fact is rebuilt when it is taken: most steps take one or two of a dozen."""

    def __init__(self, known: dict[str, Any], types: dict[str, Any], facts: dict[str, Any]) -> None:
        super().__init__({name: value for name, value in known.items() if name not in facts})
        self._types, self._facts = types, facts

    def __missing__(self, name: str) -> Any:
        found = self[name] = facts_of.from_json(self._types[name], self._facts[name])
        return found


def scope_of(procedure: Procedure, run: Run, tools: dict[str, Any]) -> dict[str, Any]:
    """All values by the names under which steps take them. A fact has the last word on its name."""
    request = facts_of.from_json(procedure.request, run.request)
    asked = {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
    types = injection.fact_types(procedure)
    facts = {name: data for name, data in run.facts.items() if name in types}
    return _Scope({**tools, **asked, "request": request}, types, facts)
