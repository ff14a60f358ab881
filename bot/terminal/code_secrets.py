"""The secrets of the one-time codes, a file for each operator, which nobody but its owner may read.

What protects them is the file system: mode 600, in a folder where people can neither list nor replace each
other's files. Where Mayday is called with sudo they belong to root, and even their owner cannot read them.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from actions.engine.errors import Refused
from actions.settings.people import Operator

_FOLDER_MODE = 0o1733
_MOST = 200
_SECRET = re.compile("[A-Z2-7]{32,128}")


@dataclass(frozen=True)
class Keys:
    """The folder of the secrets, and the user id of the person whose process this is."""

    folder: Path
    uid: int

    def path(self, operator: Operator) -> Path:
        """Where an operator's secret lies."""
        return self.folder / f"{operator.id}.totp"

    def enrolled(self, operator: Operator) -> bool | None:
        """Whether there is a secret; None where nobody but its owner may look."""
        try:
            return self.path(operator).lstat().st_size > 0
        except FileNotFoundError:
            return False
        except OSError:
            return None

    def secret(self, operator: Operator) -> str:
        """The secret of that operator.

        Raises:
            Refused: there is none, or somebody else could have written or read it.
        """
        path = self.path(operator)
        try:
            # Without waiting: somebody may have laid a pipe in its place, which would hold the reader up.
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise Refused(
                f"{operator.name} has no one-time codes yet.",
                code="MD-CMD-013",
                hint="Make them, with a phone at hand: mayday operator enrol",
            ) from None
        except OSError as error:
            raise _unreadable(path, error.strerror or "") from error
        with os.fdopen(fd, errors="replace") as file:
            self._must_be_theirs(path, os.fstat(fd))
            return self._whole(path, file.read(_MOST))

    def keep(self, operator: Operator, secret: str) -> None:
        """Write a secret, whole, where there was none.

        Raises:
            Refused: there is one, or the folder cannot be written.
        """
        path = self.path(operator)
        try:
            self._make_folder()
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secret + "\n")
                file.flush()
                os.fsync(fd)
        except FileExistsError:
            raise taken(operator, path) from None
        except OSError as error:
            raise Refused(
                f"{path} cannot be written.",
                code="MD-CMD-014",
                detail=error.strerror or "",
                hint=f"Make its folder, as root: install -d -m 1733 {self.folder}",
            ) from error

    def _whole(self, path: Path, text: str) -> str:
        secret = text.strip()
        if not _SECRET.fullmatch(secret):
            raise _unreadable(path, "What stands in it is no secret of one-time codes.")
        return secret

    def _make_folder(self) -> None:
        """Everybody may lay a file into it, nobody may list it or touch another's file (the sticky bit)."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            self.folder.chmod(_FOLDER_MODE)

    def _must_be_theirs(self, path: Path, seen: os.stat_result) -> None:
        owners = {0} if os.geteuid() == 0 else {0, self.uid}
        if not stat.S_ISREG(seen.st_mode) or seen.st_mode & 0o077 or seen.st_uid not in owners:
            raise _unreadable(path, "It is not a file of its owner alone (mode 600).")


def taken(operator: Operator, path: Path) -> Refused:
    """The refusal to replace a secret: whoever finds an open terminal must not get codes of their own."""
    return Refused(
        f"{operator.name} has one-time codes already.",
        code="MD-CMD-015",
        detail="A second enrolment would make them worthless.",
        hint=f"Is the phone lost? Whoever runs this host removes {path}, then enrol again.",
    )


def _unreadable(path: Path, seen: str) -> Refused:
    return Refused(
        f"The secret {path} cannot be used.",
        code="MD-CMD-016",
        detail=seen,
        hint="Who enrolled with sudo has to use sudo; else have it removed and enrol again.",
    )
