"""The ground floor: what a job needs around its work. Nothing here knows of cells or studies."""
