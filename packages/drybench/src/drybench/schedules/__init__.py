"""Runs that begin by themselves: when, of what, and what became of it."""
