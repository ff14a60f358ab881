"""Small worlds with state: everything a recovery meets, in memory, with rules of its own that cannot be broken unseen."""
