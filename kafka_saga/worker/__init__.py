"""The process around the engine: the loop, settings, restoring state, the clock of the log."""
