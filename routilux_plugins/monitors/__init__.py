"""Who watches jobs."""
