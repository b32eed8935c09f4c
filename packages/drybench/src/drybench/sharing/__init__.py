"""A person lets named others see the desktop of their running session, or work in it."""
