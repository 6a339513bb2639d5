"""The state machine of a service: records, results and rebalances in, effects out. No input or output."""
