"""The door to backends: what one is, what it reads and writes, and how the installed ones are found."""
