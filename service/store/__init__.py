"""The store: one Redis dialect (Redis 7+ or Valkey), embedded by default, elsewhere by URL."""
