"""Accelerations that any engine of torch can have: fewer bits a weight (P405-10)."""
