"""What the core tests share: a company in memory, and short logs."""

from __future__ import annotations

import pytest
import structlog
from worlds.desk import Company

# Pictures of every local variable take seconds to draw and say nothing that the assertion does not.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture
def here() -> Company:
    """A company at work since 08:00: messages 1 to 40, one a minute, the last at 08:40:09.5, not all archived."""
    return Company()
