"""Where every random number of the project comes from: named streams, and counted words.

May import nothing of this project.
"""
