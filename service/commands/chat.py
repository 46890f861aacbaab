"""`tocsin chat`: a worked example of a chatbot that says so where an issue is known. The bot itself is a parrot."""

import sys
from pathlib import Path

from models.embed import LANGUAGES
from models.plain import one_line
from service.api.client import Client, with_known_issues
from service.errors import Refused
from service.settings import load_settings

_REPLIES = {"zh": "收到，我来帮您看看。", "en": "Thank you, let me look into it."}


def run(*, url: str | None, key: str | None, language: str, spool: Path) -> int:
    """Read what a customer writes, a line at a time, and answer it, until the input ends."""
    if language not in LANGUAGES:
        raise Refused(f"--language: {language!r} is none of {', '.join(LANGUAGES)}")
    settings = load_settings()
    key = key or (settings.admin_key.get_secret_value() if settings.admin_key else None)
    with Client(url or settings.public_url, key=key, spool=spool, source="chat") as client:
        reply = with_known_issues(client, lambda _: _REPLIES[language], language)
        for line in sys.stdin:
            if line.strip():
                print(one_line(reply(line.strip()), 500), flush=True)
    return 0
