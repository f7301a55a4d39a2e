"""Where every random number of the project comes from."""
