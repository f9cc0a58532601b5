"""What a type checker makes of the public names."""
