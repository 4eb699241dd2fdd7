"""Pieces of a training loop that the families share: plain torch, seeded, watched, and with one exit."""
