"""`python -m lab.pagerduty --port 0 --keep-in FILE`: serve the practice PagerDuty and say where."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.pagerduty.company import Company
from lab.pagerduty.server import listen


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m lab.pagerduty", description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 takes any free port")
    options.add_argument(
        "--keep-in",
        type=Path,
        required=True,
        help="a JSON file that outlives a restart; the certificate is kept beside it",
    )
    options.add_argument("--webhook", default="", help="where Mayday listens; a subscription to it is made")
    options.add_argument("--prefix", default="nself-", help="what the names of the services begin with")
    asked = options.parse_args()
    folder = asked.keep_in.resolve().parent
    listening = listen(
        asked.host,
        asked.port,
        certificates=folder,
        company=Company(asked.prefix),
        webhook=asked.webhook,
        keep_in=asked.keep_in,
    )
    sys.stdout.write(
        f"The practice PagerDuty, a stand-in, is at {listening.url}; "
        f"its certificate is trusted through {listening.certificate.authority}\n"
    )
    sys.stdout.flush()
    listening.run()


if __name__ == "__main__":
    main()
