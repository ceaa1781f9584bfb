"""Measurements, each with a command of its own: ``python -m benchmarks.admin``."""
