"""Carries out one run inside an environment and writes its record."""
