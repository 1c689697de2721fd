"""How fast a sync is beside its peers: the same account, the same machine, the same run."""
