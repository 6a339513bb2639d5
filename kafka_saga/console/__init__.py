"""The web console: server-rendered pages about sagas, and the forms that steer them. It knows the HTTP API only."""
