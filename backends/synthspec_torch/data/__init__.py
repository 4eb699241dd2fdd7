"""Between columns of numbers and tensors: contents, and the conditions they are made under."""
