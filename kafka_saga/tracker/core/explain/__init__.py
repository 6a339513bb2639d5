"""The parts of the sentence that says why a saga is not finished."""
