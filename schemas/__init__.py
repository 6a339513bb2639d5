"""The events of the product and how they travel: errors, envelope, codec, models."""
