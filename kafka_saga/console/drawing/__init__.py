"""Drawings for the console's pages, from values of the API to markup: graphs and timelines. Pure.

Everything that others wrote is escaped and made visible; nothing carries a style or a script of its own: the looks
are in `static/drawing.css`.
"""

from kafka_saga.console.drawing.graphs import graph, topology
from kafka_saga.console.drawing.timelines import timeline

__all__ = ["graph", "timeline", "topology"]
