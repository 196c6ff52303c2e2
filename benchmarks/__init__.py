"""Measuring mmcomp beside what a user would write or take instead."""
