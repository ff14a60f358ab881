"""What people say to runs: who asks for one, what a button points at, answers, stop, retry and undo."""
