"""What the tests stand on: servers, fake APIs, instances, processes."""
