"""The commands of `tocsin`, one a file, imported only when called."""
