"""Moments: what a person means by one, in which zone, and how moments and spans are spelled."""
