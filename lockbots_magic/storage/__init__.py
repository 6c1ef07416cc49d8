"""The notebook as the store of conversations: what outputs carry, and what can be rebuilt from it."""
