"""Names of columns that several tables have in common."""

#: The axes of a study. A configuration is one value of each; a run is a configuration with a seed.
CONFIGURATION = ["cell", "length", "hidden", "layers"]
#: The metric that says which seeds solve their task: 1 or 0 for each seed.
SOLVED = "solved"
#: The metric that holds the chance level, where that depends on the data.
CHANCE = "chance"
