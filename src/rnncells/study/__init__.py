"""YAML in, plan out. PyTorch is never imported here, because the workflow plans with it."""
