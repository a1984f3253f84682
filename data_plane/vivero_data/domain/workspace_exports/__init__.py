"""Exports of the whole workspace: one ZIP with everything that its people put into it."""
