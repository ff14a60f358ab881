"""Everything with effects: the loop that carries runs out, and one adapter a file."""
