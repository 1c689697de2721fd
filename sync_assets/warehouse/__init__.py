"""How rows reach the warehouse: exact, atomic and apart. It knows no API and no Dagster."""
