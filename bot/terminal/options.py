"""Options that many commands of the terminal have, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path | None, typer.Option("--config", help="The settings file; else $MAYDAY_CONFIG.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document and nothing else.")]
Follow = Annotated[bool, typer.Option("--follow", help="Show what happens until the run waits or ends.")]
Foreground = Annotated[bool, typer.Option("--foreground", help="With no worker alive, carry the run out here.")]
FollowErrand = Annotated[bool, typer.Option("--follow", help="Show how it goes on until it is done or waits.")]
ForegroundErrand = Annotated[
    bool, typer.Option("--foreground", help="Carry it out in this terminal, also where a worker is alive.")
]
