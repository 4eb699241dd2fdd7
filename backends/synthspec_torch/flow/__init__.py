"""Normalizing flows (S405-3): invertible maps from zuko, their base, training, sampling, and what only they can answer."""
