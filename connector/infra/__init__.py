"""What is deployed to AWS: bundles, the template, Glue tables, the views of Athena."""
