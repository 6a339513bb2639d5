"""The documents behind claim checks: pydantic models, kept as JSON in the blob store."""
