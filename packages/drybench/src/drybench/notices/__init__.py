"""Who hears of a run's end, by which way, and what they read."""
