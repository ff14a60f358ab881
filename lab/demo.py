"""`make demo`: the main job as a story, on the practice company of this machine, with the proof at the end."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console

from actions.engine.errors import RecoveryError
from lab import company, show
from lab.home import Lab
from lab.slack.client import PracticeSlack
from lab.statuspage import part as statuspage
from lab.story import Story


def main() -> int:
    """Tell the story; the exit code tells whether the proof held."""
    console = Console(highlight=False)
    lab = Lab.saved(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / ".mayday" / "lab")
    began = time.monotonic()
    try:
        company.up(lab, say=console.print)
        console.print(f"The practice room is open: watch it there, at {company.address(lab)}")
        good = Story(lab, PracticeSlack(company.address(lab)), company.open_store(lab), console).tell()
    except RecoveryError as trouble:
        console.print(trouble.words(), markup=False)
        return 1
    console.print(f"\nTook {time.monotonic() - began:.0f} s. The company goes on; go on by hand:")
    for line in (
        f"The room: {company.address(lab)}",
        f"What the public sees: {statuspage.address(lab)}",
        f"{show.MAYDAY} lab page 'Messages are gone'",
        f"{show.MAYDAY} lab break data-loss         prints what brings it back",
        f"{show.MAYDAY} lab thread --follow",
        f"{show.MAYDAY} lab down --purge            ends it and removes its data",
    ):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
