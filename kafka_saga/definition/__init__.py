"""What a saga definition is: the model, its linter, its topics, and its diagrams."""
