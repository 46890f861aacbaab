"""How a command ends: what the user can mend is one clear line, not a traceback."""

import sys
from collections.abc import Callable

from pydantic import ValidationError

from service.errors import TocsinError
from service.settings import PREFIX, UnknownSetting


def run_command(command: Callable[[], object]) -> int:
    """The status to exit with: 0, what the command says, or 2 for an error that the user can mend."""
    from models.bundle import BundleError
    from models.encoder.errors import EncoderError
    from service.store.embedded import EmbeddedStoreError

    try:
        status = command()
        return status if isinstance(status, int) else 0
    except KeyboardInterrupt:
        return 130
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(map(str, first["loc"])).upper()
        print(f"error: {PREFIX + name + ': ' if name else ''}{first['msg']}", file=sys.stderr)
    except (
        TocsinError,
        UnknownSetting,
        EmbeddedStoreError,
        EncoderError,
        BundleError,
        FileNotFoundError,
        ValueError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
    return 2
