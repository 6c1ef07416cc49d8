"""Replies in a terminal.

`output` decides between plain text and a styled reply, `reply` follows the stream, `tail` shows what is still open, and
`blocks` renders what is finished. Only the last three need rich; the first styled reply imports them.
"""
