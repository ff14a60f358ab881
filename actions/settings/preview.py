"""The table `[preview]`: which rows people may look at before they cut over; none where it is not told."""

from __future__ import annotations

from pydantic import Field, field_validator

from actions.postgres.shown_rows import ShownTable, shown_tables
from actions.settings.checked import Checked


class PreviewSettings(Checked):
    """`show` names columns as `table.column`, or `schema.table.column`; `rows` is how many on each side."""

    show: tuple[str, ...] = ()
    rows: int = Field(default=3, ge=1, le=10)

    @field_validator("show")
    @classmethod
    def _columns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        shown_tables(value)
        return value

    def tables(self) -> tuple[ShownTable, ...]:
        """The tables whose rows may be shown, each with its columns."""
        return shown_tables(self.show, self.rows)
