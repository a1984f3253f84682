"""Files in the bucket."""
