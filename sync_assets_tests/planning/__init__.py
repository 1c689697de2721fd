"""What is due, what it costs, and whether the plan fits."""
