"""Students of a diffusion engine: consistency, progressive and step-by-step distillation (P405-10)."""
