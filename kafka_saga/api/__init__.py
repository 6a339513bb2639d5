"""The HTTP API's values, version 1: what its clients send, and what they get. The contract between both.

Times are RFC 3339 UTC with milliseconds and `Z`, durations whole milliseconds. What a client does not know in an
answer it passes over; what the API does not know in a request it refuses.
"""
