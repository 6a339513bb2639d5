"""What is deployed: the services of code review, and the framework's tracker, views and console bound to it."""
