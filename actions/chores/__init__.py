"""What is done every now and then without being asked: by whose turn, how it is told of, and schedules."""
