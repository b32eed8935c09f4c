"""Screens of this session, shown in the browser: a desktop, or one program alone."""
