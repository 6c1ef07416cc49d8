"""What a notebook can use of a reply: its code, or its JSON."""
