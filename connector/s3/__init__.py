"""S3: how a bucket is reached, and what is kept in one."""
