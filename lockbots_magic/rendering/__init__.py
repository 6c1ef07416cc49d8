"""Replies made visible. Knows no provider; reply text is never trusted as HTML."""
