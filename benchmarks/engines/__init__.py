"""The costs of sessions, with each engine that a site could pick."""
