"""The live shell: HTTP in, store, pipeline, alerts out."""
