"""Small servers that stand in for the company's applications: the right ports, paths and dependencies."""
