"""Conversations as values, without I/O: messages, turns, context window, usage, prices."""
