"""The diffusers backend: class-conditional image diffusion on `UNet2DModel`, with solvers of its own."""
