"""A procedure is a value, a run is its journal, the next move is a pure function of the two."""
