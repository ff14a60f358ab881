"""All kinds, in the order in which their hooks run: a base backup comes before what happens after it."""

from __future__ import annotations

from tests.clusters.kind import Kind
from tests.clusters.kinds_archive import ARCHIVE
from tests.clusters.kinds_data import DATA
from tests.clusters.kinds_history import HISTORY
from tests.clusters.kinds_place import PLACE
from tests.clusters.kinds_server import SERVER
from tests.clusters.kinds_state import STATE

KINDS: tuple[Kind, ...] = (*HISTORY, *SERVER, *PLACE, *DATA, *ARCHIVE, *STATE)
