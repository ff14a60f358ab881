"""Numbers the errors that have no code yet, and writes the page; says which are new."""

from __future__ import annotations

import subprocess
import sys

from tests.errors import page
from tests.errors.numbering import WrongCode, numbered
from tests.errors.source import product, raises, write
from tests.support.paths import ROOT


def main() -> int:
    before, old = product(), page.PAGE.read_text() if page.PAGE.exists() else ""
    given = page.known(old)
    try:
        after = numbered(before, given)
    except WrongCode as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    write(after)
    changed = [str(ROOT / place) for place, text in after.items() if text != before[place]]
    if changed:
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *changed], check=True)
    now = product()
    page.PAGE.write_text(page.page(now, old, page.notes()))
    was = {one.code for one in raises(before)}
    for one in raises(now):
        if one.code and one.code not in was:
            sys.stdout.write(f"{one.code}  {one.where}{'  (again)' if one.code in given else ''}\n")
    for code in sorted({one.code for one in raises(now) if one.code} ^ set(page.known(page.PAGE.read_text()))):
        sys.stdout.write(f"{code}  retired\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
