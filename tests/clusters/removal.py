"""Takes away what the process of one cluster left that had to be ended."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.engine import connect


def remove(root: Path, seed: int, index: int) -> None:
    """Containers of that cluster and of its runs, its volumes, its folder."""
    api, mark = connect().api, f"mt-c{seed}x{index}-"
    for one in api.containers(all=True):
        sources = [str(mount.get("Source") or mount.get("Name") or "") for mount in one.get("Mounts") or []]
        mine = any(f"/{mark}" in f"/{source}" for source in sources)
        if mine or any(name.startswith(f"/{mark}") for name in one["Names"]):
            subprocess.run(["docker", "rm", "-f", "-v", one["Id"]], capture_output=True, check=False)
    for volume in api.volumes().get("Volumes") or []:
        if volume["Name"].startswith(mark):
            subprocess.run(["docker", "volume", "rm", "-f", volume["Name"]], capture_output=True, check=False)
    for folder in root.glob(f"{mark}*"):
        shutil.rmtree(folder, ignore_errors=True)
