"""Events in the shapes of the platforms, with invented words in them."""

from typing import Any

CHATWOOT: dict[str, Any] = {
    "event": "message_created",
    "id": 4711,
    "content": "充电宝充不进电了",
    "created_at": "2026-03-10 09:00:00 UTC",
    "message_type": "incoming",
    "private": False,
    "content_attributes": {},
    "sender": {"id": 88, "name": "someone", "type": "contact"},
    "inbox": {"id": 1, "name": "Website"},
    "account": {"id": 1, "name": "Acme"},
    "conversation": {
        "id": 12,
        "channel": "Channel::WebWidget",
        "contact_inbox": {"id": 3, "contact_id": 88},
        "custom_attributes": {"sku": "PB-20", "batch": "PB-20-B3", "order_id": "SO1"},
    },
}
ZENDESK: dict[str, Any] = {
    "account_id": 22129848,
    "type": "zen:event-type:ticket.comment_added",
    "id": "01GJ2NDK2TA4Q1K4S2PB3FCHZ0",
    "time": "2026-03-10T09:00:00.123456789Z",
    "subject": "zen:ticket:5158",
    "detail": {"id": "5158", "requester_id": "8447388090494", "brand_id": "36000", "via": {"channel": "web"}},
    "event": {
        "comment": {
            "id": "19",
            "body": "The power bank stopped charging after three days",
            "is_public": True,
            "author": {"id": "8447388090494", "is_staff": False, "name": "someone"},
        }
    },
}
RASA: dict[str, Any] = {
    "sender_id": "u-17",
    "event": "user",
    "timestamp": 1773133200.25,
    "text": "充电宝充不进电",
    "message_id": "a1b2",
    "input_channel": "socketio",
    "parse_data": {"intent": {"name": "complain", "confidence": 0.98}},
    "metadata": {"order_id": "SO1", "sku": "PB-20"},
}
RASA_REST: dict[str, Any] = {"sender": "u-17", "message": "充电宝充不进电", "metadata": {"batch": "PB-20-B3"}}
