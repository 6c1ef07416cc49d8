"""Wire formats: decoders that turn bytes into deltas. Pure, without I/O."""
