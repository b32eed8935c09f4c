"""Drybench: a lab's shared computers as a place to work."""
