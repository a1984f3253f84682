"""The cache and the bucket: libraries wrapped, their errors translated at this edge."""
