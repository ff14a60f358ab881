"""In which order services start: each after all that it needs, and what only watches after all else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from actions.stack.stack import Service, ServiceKind


def waves(services: Sequence[Service]) -> tuple[tuple[Service, ...], ...]:
    """The services in waves: those of one wave may start at once, as none of them needs another of it.

    Monitoring is for observability only, so it never comes before what people use; unless that needs it. What a
    service needs and is not among these is taken to be up.

    Raises:
        ValueError: services need each other in a circle.
    """
    used = with_needs(services, [one.name for one in services if one.kind is not ServiceKind.MONITORING])
    last = [one for one in services if one.kind is ServiceKind.MONITORING and one.name not in used]
    first = [one for one in services if one not in last]
    return (*_layers(first), *_layers(last))


def check(services: Sequence[Service], site: str) -> None:
    """See that the services of a site can be told apart and started in some order.

    Raises:
        ValueError: two have one name, container or Compose service; one needs what is not there; or a circle.
    """
    names = [one.name for one in services]
    labels = [one.compose or one.name for one in services if not one.container]
    held = [one.container or one.name for one in services]
    for what, said in (("name", names), ("container", held), ("Compose service", labels)):
        if twice := next((name for name in said if said.count(name) > 1), ""):
            raise ValueError(f"two services of the site '{site}' have the {what} '{twice}'; give each its own")
    for one in services:
        for needed in one.needs:
            if needed not in names:
                raise ValueError(_unknown(one, needed, names, site))
    waves(services)


def _unknown(service: Service, needed: str, names: list[str], site: str) -> str:
    others = [name for name in names if name != service.name]
    near = get_close_matches(needed, others, 1)
    do = f"write '{near[0]}'" if near else f"write one of {', '.join(others)}" if others else "put it there too"
    return f"'{service.name}' needs '{needed}', which is no service of the site '{site}'; {do}"


def with_needs(services: Iterable[Service], names: Iterable[str]) -> set[str]:
    """These services, and all that they need."""
    needs = {one.name: one.needs for one in services}
    found: set[str] = set()
    to_see = list(names)
    while to_see:
        name = to_see.pop()
        if name not in found:
            found.add(name)
            to_see += needs.get(name, ())
    return found


def _layers(services: Sequence[Service]) -> Iterator[tuple[Service, ...]]:
    left = list(services)
    while left:
        waiting = {one.name for one in left}
        ready = tuple(one for one in left if waiting.isdisjoint(one.needs))
        if not ready:
            raise ValueError(f"services need each other in a circle: {_circle(left)}; take one of these needs away")
        yield ready
        left = [one for one in left if one not in ready]


def _circle(left: Sequence[Service]) -> str:
    """One circle among services of which each needs another of them: a needs b needs a."""
    names = {one.name for one in left}
    needs = {one.name: next(name for name in one.needs if name in names) for one in left}
    path = [left[0].name]
    while path[-1] not in path[:-1]:
        path.append(needs[path[-1]])
    return " needs ".join(path[path.index(path[-1]) :])
