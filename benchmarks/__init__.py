"""Measurements of mmcomp next to what a user would write or use instead."""
