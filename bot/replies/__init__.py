"""What answers only the person who asked: lists, one run, the stack, an error's page."""
