"""What is really installed, in clean environments."""
