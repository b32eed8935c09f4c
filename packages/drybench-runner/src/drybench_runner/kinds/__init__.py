"""One module for each kind of run; it has `carry_out(places, run)`."""
