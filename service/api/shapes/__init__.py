"""What answers look like, for the OpenAPI document. The views make the answers; a test holds both together."""
