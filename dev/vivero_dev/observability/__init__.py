"""Prometheus and Alertmanager of a platform: what they watch, and whom they tell."""
