"""Tables in, one matplotlib figure out. May import results and everything below."""
