"""How fast the cells train, measured side by side with other implementations."""
