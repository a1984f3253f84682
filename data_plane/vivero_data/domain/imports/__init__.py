"""Imports of files into collections, and exports that stream."""
