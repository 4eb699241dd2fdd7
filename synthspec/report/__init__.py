"""Renderers: findings, verdicts and refusals for people and for machines. One renderer a file."""
