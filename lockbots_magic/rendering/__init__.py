"""Rendering of replies: HTML, terminal, MIME bundles. Imports no provider; reply text is never trusted as HTML."""
