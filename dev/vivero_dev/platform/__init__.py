"""What Vivero needs inside a running cluster, whichever provider brought the cluster up."""
