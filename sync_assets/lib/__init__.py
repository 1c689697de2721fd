"""How any source becomes assets: specs, partitions, runs, sensors, schedules. Names no API."""
