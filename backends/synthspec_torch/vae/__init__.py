"""Variational autoencoders (S405-1): networks, likelihoods, the objective, and the figures that only they can give."""
