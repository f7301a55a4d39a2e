"""Where every random number comes from: named streams, and a counter-based generator.

May import nothing of this project.
"""
