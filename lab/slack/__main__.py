"""`python -m lab.slack --port 0`: serve the practice room and say where."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.slack.server import serve


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m lab.slack", description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 takes any free port")
    options.add_argument("--public-url", help="the address under which the bot reaches this server")
    options.add_argument("--request-url", help="HTTP mode: where the bot listens; without it, Socket Mode")
    options.add_argument("--keep-in", type=Path, help="a JSON file that keeps the messages over a restart")
    options.add_argument("--print-url", action="store_true", help="print just the address")
    asked = options.parse_args()

    def ready(url: str) -> None:
        sys.stdout.write(f"{url}\n" if asked.print_url else f"The practice room is open at {url}\n")
        sys.stdout.flush()

    where = {"public_url": asked.public_url, "request_url": asked.request_url, "keep_in": asked.keep_in}
    serve(asked.host, asked.port, ready=ready, **where)


if __name__ == "__main__":
    main()
