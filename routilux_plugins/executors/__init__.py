"""Where and when activations run."""
