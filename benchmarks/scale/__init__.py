"""What a million sessions take of a PostgreSQL server: ``python -m benchmarks.scale``."""
