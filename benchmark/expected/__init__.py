"""Golden ranges a scale, with how they were measured."""
