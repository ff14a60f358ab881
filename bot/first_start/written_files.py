"""Writing the files of the first start: all of them or none, each with its mode, none over another one unsaid."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from actions.engine.errors import Refused


@dataclass(frozen=True)
class FileDraft:
    """A file to come: its text and its mode. 0600 is for what holds secrets."""

    path: Path
    text: str
    mode: int = 0o644

    def is_there_already(self) -> bool:
        """Whether it lies there with the very same text."""
        try:
            return self.path.read_text() == self.text
        except (OSError, UnicodeDecodeError):
            return False


def refuse_existing(paths: Sequence[Path], *, replace: bool) -> None:
    """Raises Refused where a file is there that nobody said may be replaced.

    Raises:
        Refused: it is; all of them are named. Or a folder is none that can be written into.
    """
    for folder in dict.fromkeys(path.parent for path in paths):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Refused(
                f"Nothing can be written into {folder}.",
                code="MD-CMD-063",
                hint="Name a file in a folder that exists and that this user may write into: --config FILE",
            )
    there = [str(path) for path in paths if path.exists()]
    if there and not replace:
        raise Refused(
            f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already. Nothing was changed.",
            code="MD-CMD-064",
            hint="Give --config with another name; or --replace, which keeps the old one beside the new one. "
            "mayday doctor looks at the settings that are there.",
        )


def write_all(drafts: Sequence[FileDraft], stamp: str) -> list[Path]:
    """Write all files; where one was there with another text, it is kept under its name with `stamp`.

    Returns the names under which old files are kept.

    Raises:
        Refused: one cannot be written; nothing is there of the others then, and the old ones are as they were.
    """
    wanted = [draft for draft in drafts if not draft.is_there_already()]
    laid: list[Path] = []
    done: list[tuple[Path, Path | None]] = []
    try:
        laid += [_lay(draft) for draft in wanted]
        with _undisturbed():
            for draft, beside in zip(wanted, laid, strict=True):
                done.append((draft.path, _kept(draft.path, stamp)))
                beside.rename(draft.path)
    except OSError as trouble:
        with _undisturbed():
            _take_back(done)
        raise Refused(
            f"{trouble.filename or 'A file'} cannot be written. Nothing was changed.",
            code="MD-CMD-065",
            detail=str(trouble),
            hint="Look at who may write into that folder, and at its free space; then try again.",
        ) from None
    finally:
        for draft in wanted:
            _beside(draft.path).unlink(missing_ok=True)
    return [old for _path, old in done if old is not None]


def _lay(draft: FileDraft) -> Path:
    """The whole text on disk beside its place, never readable by more than its mode says."""
    beside = _beside(draft.path)
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(draft.text)
        file.flush()
        os.fchmod(file.fileno(), draft.mode)
        os.fsync(file.fileno())
    return beside


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.draft")


def _kept(path: Path, stamp: str) -> Path | None:
    if not path.exists():
        return None
    old = path.with_name(f"{path.name}.{stamp}")
    path.rename(old)
    return old


def _take_back(done: Sequence[tuple[Path, Path | None]]) -> None:
    for path, old in reversed(done):
        if old is not None:
            old.rename(path)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits until the renames are done: they take no time, and half of them would be a mess."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
