"""Incidents: one problem, one thread."""
