"""Puts a saga into the form that people look at: timeline, graph, facts."""
