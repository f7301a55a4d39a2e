"""Names of columns that several tables have in common."""

#: The axes of a study. A configuration is one value of each; a run is a configuration with a seed.
CONFIGURATION = ["cell", "length", "hidden", "layers"]
