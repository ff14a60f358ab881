"""The codes of errors: numbers what is new in the source, and writes docs/errors.md. `make errors` runs it."""
