"""Access of staff to a workspace, which its owner grants."""
