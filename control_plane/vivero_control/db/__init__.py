"""Tables and the connection to MariaDB."""
