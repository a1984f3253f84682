"""Adapters to the systems a tenant lives in, one package a system."""
