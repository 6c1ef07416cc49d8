"""Event loops, seen from other threads: asyncio's, trio's, and one of our own for functions without any."""
