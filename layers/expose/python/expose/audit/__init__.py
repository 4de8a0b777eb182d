"""Who on the internet reaches a task's addresses, and what of it nobody declared: pure, from what EC2 says."""
