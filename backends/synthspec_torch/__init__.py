"""The torch backend, and the ground that other torch engines stand on: noise, data, training, weights, features."""
