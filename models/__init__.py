"""The core: values and pure functions. No network, store, clock or environment."""
