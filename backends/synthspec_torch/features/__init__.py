"""Feature extractors whose weights the user brings (P412-1)."""
