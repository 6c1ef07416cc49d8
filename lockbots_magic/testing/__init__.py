"""A mock server of every wire format, and a pytest plug-in."""
