"""The keeper's commands: the bench brought up, watched over, looked at and brought down."""
