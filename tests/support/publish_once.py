"""`python publish_once.py API_URL`: a process that publishes the test's draft, to be killed in the middle of it."""

from __future__ import annotations

import sys

from tests.support.page_world import DRAFT, adapter

if __name__ == "__main__":
    adapter(sys.argv[1], seconds_apart=0.5).publish(DRAFT)
