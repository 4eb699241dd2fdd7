"""The core's own kernels: reading, splitting, enforcing, measuring. What makes data is a plugin's business."""
