"""Incidents, and what is known of the services between them."""
