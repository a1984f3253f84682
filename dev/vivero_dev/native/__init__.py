"""The native provider: every program of the platform as a process of this machine."""
