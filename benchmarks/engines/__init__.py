"""What sessions cost, with each engine that a site could pick."""
