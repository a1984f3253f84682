"""S3: a bucket and an account for each tenant."""
