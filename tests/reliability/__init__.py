"""What must hold whatever happens: laws, schedules from seeds, races, waiting, memory, costs."""
