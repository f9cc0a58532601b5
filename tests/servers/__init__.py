"""Real servers for tests, on loopback, in a temporary folder, gone with the test session."""
