"""Where handlers run: inline, on an asyncio loop, in a pool of child processes."""
