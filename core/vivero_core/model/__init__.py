"""The custom resources, names and constants: pure values, no I/O."""
