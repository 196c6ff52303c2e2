"""Experiments: many runs by subject, and a report of them."""
