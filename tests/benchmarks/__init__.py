"""What a step costs, as a ratio to the least that it could cost."""
