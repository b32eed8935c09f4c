"""Ask a bench for runs and sessions from a terminal or a script."""
