"""One tree of errors; each has an HTTP status and a stable code, and is mapped to problem+json once.

TocsinError
├── Refused            the caller can mend it
│   ├── BadMessage       400/422 a message that cannot be taken
│   ├── NotFound         404
│   ├── Conflict         409     the state does not allow it
│   ├── TooLarge         413
│   ├── Unauthorised     401
│   └── Forbidden        403
├── Overloaded         429     try again after a while
└── Unavailable        503     a part that we need is away
    ├── StoreAway
    └── EncoderAway
        └── EncoderBusy
"""

from datetime import timedelta


class TocsinError(Exception):
    """Base of all errors that we raise on purpose."""

    status = 500
    code = "internal"
    title = "Something broke on our side"


class Refused(TocsinError):
    status = 400
    code = "refused"
    title = "The request cannot be taken"


class BadMessage(Refused):
    """A message with a field that cannot be used; names the field and the fix, never the value."""

    status = 422
    code = "bad_message"
    title = "The message cannot be taken"

    def __init__(self, field: str, fix: str, code: str = "bad_message") -> None:
        super().__init__(f"{field}: {fix}")
        self.field = field
        self.fix = fix
        self.code = code


class NotFound(Refused):
    status = 404
    code = "not_found"
    title = "There is no such thing"


class Conflict(Refused):
    status = 409
    code = "conflict"
    title = "The present state does not allow it"


class TooLarge(Refused):
    status = 413
    code = "too_large"
    title = "The body is too large"


class Unauthorised(Refused):
    status = 401
    code = "unauthorised"
    title = "A key is needed"


class Forbidden(Refused):
    status = 403
    code = "forbidden"
    title = "The key does not allow this"


class TryLater(TocsinError):
    """Nothing was taken; the same call may succeed after ``retry_after``."""

    def __init__(self, detail: str, retry_after: timedelta = timedelta(seconds=2)) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Overloaded(TryLater):
    status = 429
    code = "overloaded"
    title = "Too much at once"


class Unavailable(TryLater):
    status = 503
    code = "unavailable"
    title = "A part of the service is away"


class StoreAway(Unavailable):
    code = "store_away"
    title = "The store cannot be reached; nothing was taken"


class EncoderAway(Unavailable):
    code = "encoder_away"
    title = "The encoder is not ready"


class EncoderBusy(EncoderAway):
    code = "encoder_busy"
    title = "The encoders have too much to do"
