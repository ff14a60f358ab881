"""Stand-ins for services that only have to be there: search and monitoring, with their real health paths."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from lab.standins.web import Answer, Request, as_json, routed, serve


@dataclass(frozen=True)
class Quiet:
    """A service that answers where its original answers, and says what it is everywhere else."""

    port: int
    health_path: str
    health: object


SERVICES = {
    "meilisearch": Quiet(7700, "/health", {"status": "available"}),
    "prometheus": Quiet(9090, "/-/healthy", "Prometheus Server is Healthy."),
    "grafana": Quiet(3000, "/api/health", {"database": "ok"}),
    "loki": Quiet(3100, "/ready", "ready"),
}


def main(name: str) -> None:
    service = SERVICES[name]

    def health(_: Request) -> Answer:
        if isinstance(service.health, str):
            return Answer(200, service.health.encode() + b"\n")
        return as_json(service.health)

    def about(_: Request) -> Answer:
        return as_json({"stand_in_for": name, "does": "answers its health check, nothing else"})

    serve(name, service.port, routed({("GET", service.health_path): health, ("GET", "/"): about}))


if __name__ == "__main__":
    main(sys.argv[1])
