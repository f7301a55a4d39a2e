"""What a job needs around its work: errors, files, locks, signals, a GPU of its own.

May import nothing of this project, and knows neither cells nor studies.
"""
