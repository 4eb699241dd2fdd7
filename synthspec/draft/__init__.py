"""`init --from`: an SRef and a spec drafted from a table, for a person to correct. Ranges are seen, units never guessed."""
