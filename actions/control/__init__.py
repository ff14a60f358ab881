"""What people, schedules and other runs may tell a run: that it begins, and answers, stop, retry, undo."""
