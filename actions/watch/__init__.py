"""What is kept of a site while nothing happens: the condition of services, rows, memory, what earlier runs proved."""
