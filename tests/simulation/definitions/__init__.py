"""The definitions that are simulated: what their events say, how their steps are wired, and what a number draws."""
