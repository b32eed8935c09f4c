"""The images of environments: made, tried, kept and removed."""
