"""Ways out: one channel a file."""
