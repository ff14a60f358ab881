"""What carries runs out: the queue, the lease, the loop from move to move, and the tools opened for it."""
