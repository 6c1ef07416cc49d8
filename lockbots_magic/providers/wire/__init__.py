"""Wire formats: bytes to deltas, without I/O."""
