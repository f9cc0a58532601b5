"""What authors of routines, executors and monitors test with."""
