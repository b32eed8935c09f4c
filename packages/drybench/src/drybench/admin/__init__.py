"""What the keeper of a bench looks into."""
