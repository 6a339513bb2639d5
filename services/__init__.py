"""The processes: the chassis, the services built on it, the tracker, the command line."""
