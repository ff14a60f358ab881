"""`python -m lab.statuspage --port 0`: serve the stand-in and say where."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.statuspage.server import serve


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m lab.statuspage", description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 takes any free port")
    options.add_argument("--keep-in", type=Path, help="a JSON file that keeps the page over a restart")
    options.add_argument("--print-url", action="store_true", help="print just the address")
    asked = options.parse_args()

    def ready(url: str) -> None:
        sys.stdout.write(f"{url}\n" if asked.print_url else f"The status page is at {url}\n")
        sys.stdout.flush()

    serve(asked.host, asked.port, keep_in=asked.keep_in, ready=ready)


if __name__ == "__main__":
    main()
