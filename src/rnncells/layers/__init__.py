"""Modules in the place of ``torch.nn.GRU``, and networks made of them."""
