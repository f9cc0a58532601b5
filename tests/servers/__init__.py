"""Real servers for tests, from pip packages: on loopback, in a temporary folder, gone with the test session."""
