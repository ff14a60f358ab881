"""One procedure a file."""
