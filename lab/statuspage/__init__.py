"""A stand-in for Atlassian Statuspage: its REST API, a public page, and its bad days."""
