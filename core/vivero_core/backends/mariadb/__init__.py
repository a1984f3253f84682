"""MariaDB: a schema and a user for each tenant."""
