"""Which transactions ran at a position, as the WAL itself says.

At wal_level replica and above a server writes a RUNNING_XACTS record before the end of each checkpoint, and every 15 s
while anything is written (LogStandbySnapshot() of src/backend/storage/ipc/standby.c, BackgroundWriterMain() of
src/backend/postmaster/bgwriter.c).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

from actions.postgres.lsn import Lsn, parse_lsn
from actions.postgres.waldump import lsn_of_line, transaction_ends

_RUNNING = re.compile(r"desc: RUNNING_XACTS nextXid \d+ .*?oldestRunningXid \d+(?:; \d+ xacts:([ \d]*))?", re.ASCII)
_CHECKPOINT = re.compile(r"desc: CHECKPOINT_ONLINE redo ([0-9A-F]+/[0-9A-F]+);", re.ASCII)
_RESTART = re.compile(r"desc: (?:CHECKPOINT_SHUTDOWN|END_OF_RECOVERY) ", re.ASCII)
_CHECKPOINTS = 3
"""A drop waits for the checkpoint at work, for the next one, and one more may pass while it removes files."""
_ENDS_KEPT = 10_000


class Running:
    """The transactions that had begun before the last RUNNING_XACTS record and had not ended by a position.

    `xids` is None as long as no such record was seen. Those that begin after it are not among them.
    """

    def __init__(self, through: Lsn) -> None:
        self.xids: set[int] | None = None
        self._through = through
        self._redos: list[Lsn] = []
        # One that has just committed may still be listed as running in the record that follows.
        self._ended: deque[int] = deque(maxlen=_ENDS_KEPT)

    def watch(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines of pg_waldump, passed on as they are."""
        for line in lines:
            if (lsn_of_line(line) or 0) < self._through:
                self._seen(line)
            yield line

    def _seen(self, line: str) -> None:
        if line.startswith("rmgr: Transaction"):
            for end in transaction_ends((line,)):
                self._ended.append(end.xid)
                if self.xids:
                    self.xids.discard(end.xid)
        elif match := _RUNNING.search(line):
            self.xids = set(map(int, (match[1] or "").split())).difference(self._ended)
        elif match := _CHECKPOINT.search(line):
            self._redos.append(parse_lsn(match[1]))
        elif _RESTART.search(line):
            self.xids = set()

    def covered(self, since: Lsn, known: Iterable[int]) -> bool:
        """Whether WAL that was read from there on shows the first record of every DROP that ran at the position.

        `known` are the transactions whose first record was found.
        """
        if self.xids is None:
            return False
        if not self.xids.difference(known):
            return True
        return len(self._redos) >= _CHECKPOINTS and self._redos[-_CHECKPOINTS] >= since
