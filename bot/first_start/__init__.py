"""The first start: questions whose answers are checked at once, the files that come of them, and what is left to do."""
