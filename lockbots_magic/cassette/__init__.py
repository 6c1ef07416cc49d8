"""Record what a model answers, and play it again: anywhere, offline, without a credential.

`tape` is the file, `player` the provider that stands before another one, `deck` the cassette that all chats of a
kernel use.
"""
