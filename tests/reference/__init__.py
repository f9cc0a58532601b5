"""The examples of the two reference guides, each as a test; README.md says what became of each."""
