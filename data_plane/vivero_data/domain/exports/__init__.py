"""Exports that stream: of any size, in any format, without a file in between."""
