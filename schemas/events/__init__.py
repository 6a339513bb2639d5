"""The event models: one module per saga definition, and the product's own reports and lifecycle."""
