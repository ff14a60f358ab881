"""Draws clusters, side by side, each in a process of its own; a line for each, a table at the end."""

from __future__ import annotations

import argparse
import faulthandler
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tests.clusters.kinds import KINDS
from tests.clusters.one import one, say
from tests.clusters.removal import remove
from tests.clusters.table import table
from tests.clusters.verdict import FINE, Outcome, Verdict

_CHILDREN: list[subprocess.Popen[str]] = []


def main() -> int:
    """Exit code 0 where all were fine."""
    asked = _options()
    # Whoever ends it from outside gets everything cleared away too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if asked.list:
        for kind in KINDS:
            say(f"{kind.name}{f' (of {kind.group})' if kind.group else ''}{f': off, {kind.off}' if kind.off else ''}")
        return 0
    if asked.one:
        # What hangs says where, just before it is ended.
        faulthandler.dump_traceback_later(asked.seconds - 10)
        verdict = one(asked.root, asked.seed, asked.only[0], asked.kinds, asked.always, asked.keep)
        say(json.dumps(verdict.to_json()))
        return 0
    root = Path(tempfile.mkdtemp(prefix="mayday-clusters-"))
    root.chmod(0o755)
    try:
        verdicts = _all(asked, root)
    finally:
        if not asked.keep:
            shutil.rmtree(root, ignore_errors=True)
    say(table(verdicts, asked.seed))
    return 0 if all(v.outcome in FINE for v in verdicts) else 1


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m tests.clusters", description=__doc__)
    options.add_argument("--count", type=int, default=10, help="how many clusters")
    options.add_argument("--seed", type=int, default=1, help="all is drawn from it")
    options.add_argument("--first", type=int, default=1, help="the number of the first one")
    options.add_argument("--only", type=lambda text: [int(n) for n in text.split(",")], help="the numbers of some")
    options.add_argument("--kinds", default="", help="names of kinds, by commas, with *; else all that are on")
    options.add_argument("--always", action="store_true", help="each named kind in every cluster")
    options.add_argument("--jobs", type=int, default=2, help="how many side by side")
    options.add_argument("--seconds", type=int, default=420, help="how long one may take; ten times what is usual")
    options.add_argument("--keep", action="store_true", help="leave what is not fine, to look at it")
    options.add_argument("--log", type=Path, help="a file that gets a JSON line for each")
    options.add_argument("--list", action="store_true", help="the kinds there are")
    options.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    return options.parse_args()


def _all(asked: argparse.Namespace, root: Path) -> list[Verdict]:
    numbers = asked.only or range(asked.first, asked.first + asked.count)
    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(asked.jobs) as pool, _ending(pool):
        for done in as_completed([pool.submit(_apart, asked, root, number) for number in numbers]):
            verdict = done.result()
            verdicts.append(verdict)
            say(verdict.line())
            if verdict.outcome not in FINE:
                say(f"       {', '.join(verdict.kinds)}")
            if asked.log:
                with asked.log.open("a") as log:
                    log.write(json.dumps({"seed": asked.seed, **verdict.to_json()}) + "\n")
    return verdicts


@contextmanager
def _ending(pool: ThreadPoolExecutor) -> Iterator[None]:
    """On an interruption nothing new begins, and what is under way clears itself away."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in _CHILDREN:
            child.terminate()
        raise


def _apart(asked: argparse.Namespace, root: Path, number: int) -> Verdict:
    """One cluster in a process of its own."""
    argv = [
        sys.executable,
        "-m",
        "tests.clusters",
        "--one",
        "--seed",
        str(asked.seed),
        "--only",
        str(number),
        "--root",
        str(root),
        "--kinds",
        asked.kinds,
        "--seconds",
        str(asked.seconds),
        *(["--always"] if asked.always else []),
        *(["--keep"] if asked.keep else []),
    ]
    began = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _CHILDREN.append(child)
    try:
        out, err = child.communicate(timeout=asked.seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = "", f"not in {asked.seconds} s: {child.communicate()[1][-3000:]}"
    if child.returncode == 0 and out.strip():
        return Verdict.of_json(json.loads(out.strip().splitlines()[-1]))
    if not asked.keep:
        remove(root, asked.seed, number)
    outcome = Outcome.HUNG if err.startswith("not in") else Outcome.NOT_SET_UP
    return Verdict(number, outcome, (), why=(err[-3500:],), seconds=time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
