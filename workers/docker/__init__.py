"""Docker: its client, containers, commands within them, and the helper that reaches files of its host."""
