"""A reference model: what the records on the log allow and demand of a saga, written without the tracker's code."""
