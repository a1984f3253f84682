-- What belongs to no tenant.
-- session
CREATE DATABASE IF NOT EXISTS vivero_control;
CREATE TABLE IF NOT EXISTS vivero_control.jobs (id INT PRIMARY KEY AUTO_INCREMENT, x TEXT);
INSERT INTO vivero_control.jobs (x) VALUES ('job');
CREATE OR REPLACE USER somebody IDENTIFIED BY 'secret';
GRANT SELECT ON vivero_control.* TO somebody;
SET PASSWORD FOR somebody = PASSWORD('other');
CREATE OR REPLACE ROLE people;
FLUSH PRIVILEGES;
FLUSH BINARY LOGS;
