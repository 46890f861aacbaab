"""Speed of redaction, fingerprints and chatter, and what the rules find: ``python tests/benchmarks/redact.py DATA``.

DATA holds folders with a ``data.csv`` that has a column ``text``. Prints one line of JSON a folder: processor
time a message in microseconds, texts changed, values found by rule.
"""

import argparse
import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from models.chatter import is_chatter
from models.fingerprint import fingerprint
from models.redact import redact

csv.field_size_limit(10**8)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--texts", type=int, default=15_000, help="most texts a folder, the first ones")
    given = arguments.parse_args()
    for table in sorted(given.data.glob("*/data.csv")):
        with table.open(encoding="utf-8-sig", newline="") as lines:
            texts = [row["text"] for row, _ in zip(csv.DictReader(lines), range(given.texts), strict=False)]
        print(json.dumps({"folder": table.parent.name, **figures(texts)}, ensure_ascii=False), flush=True)


def figures(texts: Sequence[str]) -> dict[str, object]:
    found: Counter[str] = Counter()
    changed = 0
    for text in texts:
        redaction = redact(text)
        changed += bool(redaction.found)
        found.update({one.rule: one.count for one in redaction.found})
    return {
        "texts": len(texts),
        "characters": round(sum(map(len, texts)) / len(texts)),
        "redact_us": spent(redact, texts),
        "fingerprint_us": spent(fingerprint, texts),
        "chatter_us": spent(is_chatter, texts),
        "chatter": sum(is_chatter(text) is not None for text in texts),
        "changed": changed,
        "found": dict(found),
    }


def spent(step: Callable[[str], object], texts: Sequence[str]) -> float:
    """Processor time of the step a text, in microseconds, after one run that warms it up."""
    step(texts[0])
    begin = time.process_time()
    for text in texts:
        step(text)
    return round((time.process_time() - begin) / len(texts) * 1e6, 1)


if __name__ == "__main__":
    main()
