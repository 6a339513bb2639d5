"""A second saga of another domain: an order is paid, its stock reserved, and shipped."""
