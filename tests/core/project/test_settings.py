"""Values of the settings that only look right are refused where the file is read, not at the worst hour."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from actions.settings.site import SiteSettings


@pytest.mark.parametrize("rate", ["", "32", "32k", "100M", "1024M", "1048576k"])
def test_a_rate_that_pg_basebackup_takes(rate: str) -> None:
    assert SiteSettings(backup_rate=rate).site().backup_rate == rate


@pytest.mark.parametrize("rate", ["0", "31", "1025M", "1048577k", "1G", "100 M", "100m", "-5M", "1.5M", "٣٢", "9" * 30])
def test_a_rate_that_pg_basebackup_refuses(rate: str) -> None:
    with pytest.raises(ValidationError, match="32k to 1024M"):
        SiteSettings(backup_rate=rate)
