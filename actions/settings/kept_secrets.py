"""Secrets that Mayday was told once and keeps in a file of its own: those of PagerDuty's webhooks."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from actions.engine.errors import Refused
from actions.settings.settings import Settings


def kept_secrets(path: str) -> tuple[str, ...]:
    """The secrets of a file, one a line, the newest first; none where there is no file.

    Raises:
        Refused: the file is there and cannot be read.
    """
    if not path:
        return ()
    try:
        return tuple(line.strip() for line in Path(path).read_text().splitlines() if line.strip())
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as wrong:
        raise Refused(
            f"{path} cannot be read.",
            code="MD-SET-001",
            detail=type(wrong).__name__,
            hint="It holds the webhooks' secrets: let the bot's user read it.",
        ) from None


def with_kept_secrets(settings: Settings) -> Settings:
    """The settings, with the kept secrets beside those that stand in them."""
    given = settings.pagerduty
    kept = tuple(SecretStr(secret) for secret in kept_secrets(given.secrets_file))
    secrets = tuple(dict.fromkeys((*given.webhook_secrets, *kept)))
    return settings.model_copy(update={"pagerduty": given.model_copy(update={"webhook_secrets": secrets})})
