"""Who people are on this machine, what their work sees and owns here, and what they may do."""
