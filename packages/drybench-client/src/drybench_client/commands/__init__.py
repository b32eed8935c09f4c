"""The commands of `drybench` that ask a bench. Each imports what it needs when it is called."""
