"""The review step of code review: findings on added lines, and coverage of every changed file."""
