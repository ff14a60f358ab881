"""What `mayday doctor` looks at on the workers' side."""
