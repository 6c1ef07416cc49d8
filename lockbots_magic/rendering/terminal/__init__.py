"""Replies in a terminal.

`output` chooses between plain text and a styled reply; `reply` follows the stream, `rows` shows the open block, and
`blocks` renders finished ones. The last three need rich, and are imported by the first styled reply. `thinking` and
`status_line` say what is waited for.
"""
