"""HTTP resources, one a file."""
