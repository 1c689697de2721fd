"""The classes that `dagster.yaml` names, and the executor."""
