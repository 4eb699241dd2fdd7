"""DP-SGD (P405-4, S405-8): per-record gradients clipped as a whole, secret noise on their sum, every release counted."""
