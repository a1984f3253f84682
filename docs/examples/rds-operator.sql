-- As the master user of RDS for MariaDB: the account that the operator logs in with.
CREATE USER IF NOT EXISTS vivero_admin REQUIRE SSL;
ALTER USER vivero_admin IDENTIFIED BY 'PASSWORD' REQUIRE SSL;
-- Users of tenants, and their connections, tables of rights and dictionary.
GRANT CREATE USER, PROCESS, RELOAD, SHOW DATABASES ON *.* TO vivero_admin;
-- Rights of whom, on what; one whose holder is no account any more can only be deleted.
GRANT SELECT, DELETE ON mysql.* TO vivero_admin;
-- How RDS ends a connection.
GRANT EXECUTE ON PROCEDURE mysql.rds_kill TO vivero_admin;
-- Tenants' schemas. What is listed here is all that a master user can pass on: it has not ALL.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER ON `vt%`.* TO vivero_admin WITH GRANT OPTION;
