"""The way of a message: ingest, work, judge, discover, deliver."""
