"""What a field can hold: a module for each type, and `registry`, which names them all."""
