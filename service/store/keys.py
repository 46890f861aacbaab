"""Every key in the store: name, type, lifetime and writer.

A partition's keys carry one hash tag, ``{p7}``, so that one script can touch them all, on one server or on a
cluster. What belongs to the whole tenant carries ``{tenant}``.

| key                                | type   | lives                 | written by          |
|------------------------------------|--------|-----------------------|---------------------|
| tocsin:{pN}:inbox                  | stream | until counted         | api (accept.lua)    |
| tocsin:{pN}:guard                  |        | never                 | nobody              |
| tocsin:{pN}:seen:DAY               | set    | keep_seen + 1 day     | api (accept.lua)    |
| tocsin:{pN}:newest                 | string | for ever              | api (accept.lua)    |
| tocsin:{pN}:customers:DAY          | hash   | 3 days after its day  | worker (count.lua)  |
| tocsin:{pN}:counts:BUCKET          | hash   | keep_counts           | worker (count.lua)  |
| tocsin:{pN}:cells:HOUR             | hash   | keep_cells            | worker (count.lua)  |
| tocsin:{pN}:heirs                  | hash   | for ever              | judge (inherit.lua) |
| tocsin:{pN}:samples:TOPIC          | stream | newest N              | worker (count.lua)  |
| tocsin:{pN}:waiting                | stream | newest N              | worker (count.lua)  |
| tocsin:{pN}:recent                 | stream | newest N              | worker (count.lua)  |
| tocsin:{pN}:dead                   | stream | newest 10,000         | worker (bury.lua)   |
| tocsin:{pN}:gauges:BUCKET          | hash   | keep_counts           | api (observe.lua)   |
| tocsin:{pN}:gaugecells:HOUR        | hash   | keep_cells            | api (observe.lua)   |
| tocsin:{pN}:observed:DAY           | set    | keep_seen + 1 day     | api (observe.lua)   |
| tocsin:{pN}:gauges:span            | hash   | for ever              | api (observe.lua)   |
| tocsin:{tenant}:shipped            | set    | keep_orders           | api (ship.lua)      |
| tocsin:{tenant}:shipped:DAY        | hash   | keep_orders           | api (ship.lua)      |
| tocsin:{tenant}:shippedby:DAY      | hash   | keep_orders           | api (ship.lua)      |
| tocsin:context:KIND/ID             | string | keep_context          | api                 |
| tocsin:context-of:JOIN:VALUE       | set    | keep_context          | api                 |
| tocsin:agents:FIELD:VALUE          | set    | 30 days               | api                 |
| tocsin:{tenant}:access             | stream | keep_access           | api                 |
| tocsin:{tenant}:erased             | stream | 7 days                | api                 |
| tocsin:{tenant}:lease:ROLE         | string | 1.5 to 30 s, renewed  | judge, deliver      |
| tocsin:{tenant}:model              | hash   | for ever              | judge, promote (model.lua) |
| tocsin:{tenant}:adapters           | hash   | for ever              | promote             |
| tocsin:{tenant}:given              | hash   | for ever              | promote             |
| tocsin:{tenant}:promotions         | stream | newest 1,000          | promote (model.lua) |
| tocsin:{tenant}:lineage            | list   | for ever              | who writes the model (model.lua) |
| tocsin:{tenant}:judge              | hash   | for ever              | judge (commit.lua)  |
| tocsin:{tenant}:budget             | string | until the settings count again | api     |
| tocsin:{tenant}:gauge              | hash   | for ever              | judge (commit.lua)  |
| tocsin:{tenant}:alerts             | hash   | keep_alerts           | judge (commit.lua)  |
| tocsin:{tenant}:alerts:order       | zset   | keep_alerts           | judge (commit.lua)  |
| tocsin:{tenant}:facts              | hash   | keep_alerts           | api                 |
| tocsin:{tenant}:timeline:ALERT     | list   | 400 days              | api                 |
| tocsin:{tenant}:bars               | hash   | keep_alerts           | api                 |
| tocsin:{tenant}:events             | stream | newest 10,000         | judge, api          |
| tocsin:{tenant}:outbox             | zset   | until delivered       | judge, deliver      |
| tocsin:{tenant}:outbox:bodies      | hash   | until delivered       | judge, deliver      |
| tocsin:{tenant}:outbox:dead        | stream | newest 1,000          | deliver             |
| tocsin:{tenant}:told:ALERT         | set    | 60 days               | deliver (fanout.lua)|
| tocsin:{tenant}:receivers          | hash   | while configured      | deliver, api        |
| tocsin:{tenant}:teams              | hash   | while configured      | deliver             |
| tocsin:{tenant}:team:NAME:told     | zset   | 400 days              | deliver             |
| tocsin:{tenant}:team:NAME:held     | zset   | 400 days              | deliver             |
| tocsin:{tenant}:weekly             | hash   | for ever              | deliver             |
| tocsin:{tenant}:keys               | hash   | until revoked         | api, command line   |
| tocsin:{tenant}:campaigns          | hash   | until removed         | api, command line   |
| tocsin:{tenant}:layout             | hash   | for ever              | first start         |
| tocsin:{tenant}:ids                | string | for ever              | judge (topic ids)   |
| tocsin:{tenant}:fissures           | string | for ever              | judge (discovery)   |
| tocsin:{tenant}:heard              | string | for ever              | api                 |
| tocsin:{tenant}:blind              | list   | newest 100            | api                 |
| tocsin:{tenant}:metrics:PROCESS    | string | 60 s, renewed         | every process       |
| tocsin:answers                     | pubsub |                       | worker              |
"""

import zlib

GROUP = "workers"
ANSWERS = "tocsin:answers"

TENANT = "tocsin:{tenant}"
MODEL = f"{TENANT}:model"
ADAPTERS = f"{TENANT}:adapters"
GIVEN = f"{TENANT}:given"
PROMOTIONS = f"{TENANT}:promotions"
LINEAGE = f"{TENANT}:lineage"
JUDGE = f"{TENANT}:judge"
GAUGE = f"{TENANT}:gauge"
FISSURES = f"{TENANT}:fissures"
HEARD = f"{TENANT}:heard"
BLIND = f"{TENANT}:blind"
BUDGET = f"{TENANT}:budget"
ACCESS = f"{TENANT}:access"
ERASED = f"{TENANT}:erased"
ALERTS = f"{TENANT}:alerts"
ALERT_ORDER = f"{TENANT}:alerts:order"
FACTS = f"{TENANT}:facts"
BARS = f"{TENANT}:bars"
EVENTS = f"{TENANT}:events"
OUTBOX = f"{TENANT}:outbox"
OUTBOX_BODIES = f"{TENANT}:outbox:bodies"
OUTBOX_DEAD = f"{TENANT}:outbox:dead"
RECEIVERS = f"{TENANT}:receivers"
TEAMS = f"{TENANT}:teams"
WEEKLY = f"{TENANT}:weekly"
API_KEYS = f"{TENANT}:keys"
CAMPAIGNS = f"{TENANT}:campaigns"
LAYOUT = f"{TENANT}:layout"
TOPIC_IDS = f"{TENANT}:ids"
SHIPPED = f"{TENANT}:shipped"


def lease(role: str) -> str:
    return f"{TENANT}:lease:{role}"


def timeline(alert_id: str) -> str:
    return f"{TENANT}:timeline:{alert_id}"


def told(alert_id: str) -> str:
    return f"{TENANT}:told:{alert_id}"


def metrics(process: str) -> str:
    return f"{TENANT}:metrics:{process}"


def partition_of(customer: str, partitions: int) -> int:
    """The partition a customer lives in: stable over processes and versions (CRC-32 of the key).

    >>> partition_of("abc", 4) == partition_of("abc", 4)
    True
    """
    return zlib.crc32(customer.encode()) % partitions


def partition(number: int) -> str:
    """Prefix of all keys of one partition."""
    return f"tocsin:{{p{number}}}"


def guard(number: int) -> str:
    """A key of a partition that is never written.

    Scripts that make names of keys name it too: while a slot moves between two masters, a cluster refuses a command
    of several keys one of which is missing, before it begins. So none stops in the middle for want of a moved key.
    """
    return f"{partition(number)}:guard"


def inbox(number: int) -> str:
    return f"{partition(number)}:inbox"


def newest(number: int) -> str:
    return f"{partition(number)}:newest"


def counts(number: int, bucket: int) -> str:
    return f"{partition(number)}:counts:{bucket}"


def cells(number: int, hour: int) -> str:
    return f"{partition(number)}:cells:{hour}"


def heirs(number: int) -> str:
    return f"{partition(number)}:heirs"


def samples(number: int, topic: str) -> str:
    return f"{partition(number)}:samples:{topic}"


def waiting(number: int) -> str:
    return f"{partition(number)}:waiting"


def recent(number: int) -> str:
    return f"{partition(number)}:recent"


def dead(number: int) -> str:
    return f"{partition(number)}:dead"


def gauges(number: int, bucket: int) -> str:
    return f"{partition(number)}:gauges:{bucket}"


def gauge_cells(number: int, hour: int) -> str:
    return f"{partition(number)}:gaugecells:{hour}"


def gauge_span(number: int) -> str:
    return f"{partition(number)}:gauges:span"


def observed(number: int, day: int) -> str:
    return f"{partition(number)}:observed:{day}"


def context(name: str) -> str:
    return f"tocsin:context:{name}"


def context_of(join: str, value: str) -> str:
    return f"tocsin:context-of:{join}:{value}"


def shipped(day: int) -> str:
    return f"{SHIPPED}:{day}"


def shipped_by(day: int) -> str:
    return f"{TENANT}:shippedby:{day}"


def team_told(team: str) -> str:
    return f"{TENANT}:team:{team}:told"


def team_held(team: str) -> str:
    return f"{TENANT}:team:{team}:held"


def agents(name: str, value: str) -> str:
    return f"tocsin:agents:{name}:{value}"
