"""What shows that the project does what it says."""
