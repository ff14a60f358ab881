"""Where journals, claims, leases and notes are kept, and the rules of writing them."""
