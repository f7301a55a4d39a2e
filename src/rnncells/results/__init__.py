"""What a run leaves on the disk, and what is said of it: tables, statistics, provenance, pages."""
