"""Deliberate faults, one at a time, in the guard clauses of a recovery: for each a core test has to fail.

`make mutants` makes them with operators of cosmic-ray and a few of our own (`operators.py`), and fails where one in a
guard clause (`guards.py`) is noticed by no test. `make mutants ONLY=actions/steps/postgres/proof.py` looks at one
module or folder, `ALL=1` at every line. Those that change nothing anybody could see stand in `equivalent.toml`, with
the reason.
"""
