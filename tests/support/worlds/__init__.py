"""Small worlds with state: everything a recovery meets, in memory, with rules that cannot be broken unseen."""
