"""What is due, what it costs of the quota, and whether the plan fits."""
