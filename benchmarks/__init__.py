"""What Drybench takes, side by side with what people would use instead. `make bench` prints the table."""
