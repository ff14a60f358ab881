"""A git checkout: keep just these files in a commit, and push where a remote is configured.

Nothing goes through a shell; git is never allowed to ask anybody for a password.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from actions.engine.errors import Away, RecoveryError
from actions.redact import excerpt

_SECONDS = 60.0
_AUTHOR = ("-c", "user.name=Mayday", "-c", "user.email=mayday@localhost")


class Checkout:
    """A directory that git keeps."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def at(cls, path: Path) -> Checkout | None:
        """The checkout whose top this directory is; inside of another one it is none."""
        return cls(path) if (path / ".git").exists() else None

    def keep(self, files: Sequence[Path], message: str) -> None:
        """Commit these files where they have changed, and push whatever was not pushed yet.

        Raises:
            Away: it is committed here, and the remote did not take it.
            RecoveryError: git could not commit.
        """
        names = [str(file.relative_to(self._path)) for file in files]
        self._must("add", "--", *names)
        if self._run("diff", "--cached", "--quiet", "--", *names).returncode:
            self._must(*_AUTHOR, "commit", "--quiet", f"--message={message}", "--", *names)
        if remote := self._remote():
            self._push(remote)

    def public(self, file: Path) -> str | None:
        """The file as the public gets it: as it was pushed, or committed where there is no remote."""
        remote = self._remote()
        where = f"refs/remotes/{remote}/{self._branch()}" if remote else "HEAD"
        shown = self._run("show", f"{where}:./{file.relative_to(self._path)}")
        return shown.stdout if shown.returncode == 0 else None

    def _push(self, remote: str) -> None:
        there = f"refs/remotes/{remote}/{self._branch()}"
        if self._try_push(remote) is None:
            return
        fetched = self._run("fetch", "--quiet", "--", remote)
        behind = self._run("merge-base", "--is-ancestor", there, "HEAD").returncode == 1
        # Somebody else has pushed meanwhile: ours goes on top of it.
        on_top = (*_AUTHOR, "rebase", "--quiet", "--autostash", there)
        if fetched.returncode == 0 and behind and self._run(*on_top).returncode:
            self._run("rebase", "--abort")
        problem = self._try_push(remote)
        if problem is not None:
            raise Away(
                "The status page's files are committed and could not be pushed.",
                code="MD-SP-003",
                detail=problem,
                hint=f"Mayday tries again by itself. By hand: git push in {self._path}",
            )

    def _try_push(self, remote: str) -> str | None:
        pushed = self._run("push", "--quiet", "--", remote, f"HEAD:refs/heads/{self._branch()}")
        return excerpt(pushed.stderr, 500) if pushed.returncode else None

    def _remote(self) -> str:
        """The remote of this branch, else the first one; empty where there is none."""
        remotes = self._must("remote").split()
        own = self._run("config", "--get", f"branch.{self._branch()}.remote").stdout.strip()
        return own if own in remotes else next(iter(remotes), "")

    def _branch(self) -> str:
        return self._must("symbolic-ref", "--short", "HEAD").strip()

    def _must(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise RecoveryError(
                "git could not keep the status page's files.",
                code="MD-SP-004",
                detail=excerpt(done.stderr or done.stdout, 500),
                hint=f"Look at `git status` in {self._path}; it has to be on a branch, without a left-over index.lock.",
            )
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", str(self._path), *arguments]
        try:
            # A session of its own has no terminal that git or ssh could ask on.
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise Away(
                f"git {arguments[0]} did not end within {_SECONDS:.0f} s.",
                code="MD-SP-005",
                detail=str(self._path),
                hint="See that the remote answers.",
            ) from late
        except OSError as missing:
            raise RecoveryError(
                "git cannot be started.",
                code="MD-SP-006",
                detail=str(missing),
                hint="Install git on this host, or use a directory without git.",
            ) from missing
