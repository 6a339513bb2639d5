"""The review as HTML: findings, diffs, patches."""
