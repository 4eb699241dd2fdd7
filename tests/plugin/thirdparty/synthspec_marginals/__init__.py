"""A backend made by a stranger: a normal distribution for each column of a table."""
