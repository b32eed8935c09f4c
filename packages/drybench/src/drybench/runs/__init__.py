"""Runs: notebooks that work by themselves and come back with results."""
