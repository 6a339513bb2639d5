"""Every event type of the framework and of the application."""

from kafka_saga.wire.generate import OWN_MODULES, events_of
from schemas.events import code_review

SHIPPED = events_of((code_review, *OWN_MODULES))
