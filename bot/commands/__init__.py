"""What somebody means: their text read as a command, and the service, time or person that it names."""
