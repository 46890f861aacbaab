"""The page: static files of our own, served at `/` under a strict content policy."""

from service.web.pages import mount

__all__ = ["mount"]
