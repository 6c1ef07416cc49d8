"""What may leave: secrets and redaction, control characters, links, the HTML and TeX policies."""
