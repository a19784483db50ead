"""The migrations of the database, each a step from one version of its tables to the next."""
