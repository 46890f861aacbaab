"""The commands of `tocsin-train`, one a file, imported only when called."""
