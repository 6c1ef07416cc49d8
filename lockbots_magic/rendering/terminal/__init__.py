"""Replies in a terminal."""
