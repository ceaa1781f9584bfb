"""The costs of a million sessions on a PostgreSQL server: ``python -m benchmarks.scale``."""
