"""Generative adversarial networks (S405-2): networks, losses, augmentation, the probe that watches them, and sampling."""
