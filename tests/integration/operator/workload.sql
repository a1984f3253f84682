-- What a workspace makes first: of every sort of column, and text that looks like something else.
-- session $data
SET sql_mode = 'NO_ENGINE_SUBSTITUTION';
CREATE TABLE people (
  id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(200) NOT NULL, photo LONGBLOB, born DATE, price DECIMAL(20,5),
  flags BIT(7), tags SET('a','b''c'), doc JSON,
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  shout VARCHAR(210) AS (CONCAT(name, '!')) STORED,
  UNIQUE KEY by_name (name), KEY by_shout (shout));
CREATE TABLE notes (
  id INT PRIMARY KEY AUTO_INCREMENT, person INT, text TEXT, FULLTEXT KEY (text),
  FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE);
CREATE TABLE figures (
  id INT PRIMARY KEY, x INT, twice INT AS (x * 2) VIRTUAL, more INT AS (x + 1) STORED, KEY (twice), KEY (more));
INSERT INTO figures (id, x) VALUES (1, 5), (2, NULL);
CREATE TABLE $audit.entries (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(500) NOT NULL);
INSERT INTO people (name, photo, born, price, flags, tags, doc) VALUES
  ('Ada `"''\\ 🌱👩‍👩‍👧', x'00ff27225c60', '1815-12-10', -12345.67891, b'1010101', 'a,b''c', '{"a": [1]}'),
  ('علی', NULL, '0000-00-00', 0.1, b'0', '', NULL);
INSERT INTO notes (person, text) VALUES (1, '$other.people'), (1, 'COMMIT'), (2, '🌱');
-- Every sort of change.
-- session $data
SET sql_mode = 'NO_ENGINE_SUBSTITUTION';
ALTER TABLE people ADD COLUMN note VARCHAR(50) DEFAULT 'none — yet', ALGORITHM=INSTANT;
INSERT INTO people (name, note) VALUES ('Grace', 'late');
UPDATE people SET note = 'changed' WHERE id = 1;
UPDATE figures SET x = 7 WHERE id = 2;
ALTER TABLE figures ADD COLUMN thrice INT AS (x * 3) VIRTUAL;
ALTER TABLE people ADD COLUMN first INT FIRST, ALGORITHM=INSTANT;
ALTER TABLE people DROP COLUMN born, MODIFY price DECIMAL(30,6);
CREATE TABLE alike LIKE people;
INSERT INTO alike (name) SELECT CONCAT(name, id) FROM people;
CREATE TABLE chosen (PRIMARY KEY (id)) SELECT id, name, shout FROM people;
CREATE OR REPLACE TABLE chosen SELECT id, name FROM people WHERE id > 1;
CREATE TABLE emptied SELECT * FROM chosen;
TRUNCATE TABLE emptied;
CREATE TABLE gone (id INT);
DROP TABLE gone;
DROP TABLE IF EXISTS never, gone;
RENAME TABLE alike TO renamed;
ALTER TABLE chosen RENAME TO `chosen ``twice```;
CREATE UNIQUE INDEX one ON renamed (name, id);
DROP INDEX one ON renamed;
ALTER TABLE renamed ADD KEY again (price);
CREATE ALGORITHM=MERGE VIEW seen AS SELECT p.name, n.text FROM people p JOIN notes n ON n.person = p.id;
CREATE OR REPLACE VIEW seen AS SELECT p.name FROM people p /* $other.people */;
CREATE VIEW unseen AS SELECT 1;
DROP VIEW unseen;
CREATE TRIGGER told AFTER INSERT ON people FOR EACH ROW
  INSERT INTO $audit.entries (what) VALUES (CONCAT('trigger: ', NEW.name));
INSERT INTO people (name) VALUES ('Linus');
CREATE TRIGGER untold BEFORE DELETE ON people FOR EACH ROW SET @x = 1;
DROP TRIGGER untold;
CREATE PROCEDURE add_one (IN who VARCHAR(100)) BEGIN
  INSERT INTO people (name) VALUES (who); UPDATE people SET note = 'by a procedure' WHERE name = who; END;
CALL add_one('Barbara');
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x;
ALTER FUNCTION twice COMMENT 'of it';
CREATE EVENT sometimes ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM notes;
ALTER EVENT sometimes RENAME TO seldom;
CREATE SEQUENCE numbers START WITH 5;
INSERT INTO notes (text) VALUES (NEXT VALUE FOR numbers);
SELECT SETVAL(numbers, 7000);
ALTER SEQUENCE numbers MAXVALUE 90000;
CREATE TABLE parted (id INT, at INT) PARTITION BY RANGE (id)
  (PARTITION low VALUES LESS THAN (10), PARTITION high VALUES LESS THAN MAXVALUE);
INSERT INTO parted VALUES (1, 1), (99, 2);
CREATE TABLE apart (id INT, at INT);
ALTER TABLE parted EXCHANGE PARTITION low WITH TABLE apart;
ALTER TABLE parted TRUNCATE PARTITION high;
CREATE TABLE plain (id INT PRIMARY KEY) ENGINE=Aria;
INSERT INTO plain VALUES (1), (2);
CREATE TEMPORARY TABLE hidden SELECT name FROM people;
INSERT INTO notes (text) SELECT name FROM hidden;
DROP TEMPORARY TABLE hidden;
SET STATEMENT lock_wait_timeout = 60 FOR ALTER TABLE notes ADD COLUMN seen INT;
ANALYZE TABLE people;
OPTIMIZE TABLE notes;
ALTER DATABASE $data COLLATE utf8mb4_bin;
/*!50003 CREATE TABLE executed (id INT, x TEXT) */;
DELETE FROM people WHERE id = 2;
-- Transactions over both schemas, one of them large; what was rolled back is nowhere.
-- session $data
SET time_zone = '+05:45', timestamp = 86400.5, foreign_key_checks = 0;
INSERT INTO people (name) VALUES ('Margaret');
INSERT INTO notes (person, text) VALUES (4711, 'nobody''s');
BEGIN;
INSERT INTO people (name) VALUES ('Radia');
INSERT INTO $audit.entries (what) VALUES ('one');
SAVEPOINT here;
INSERT INTO $audit.entries (what) VALUES ('never');
INSERT INTO plain VALUES (3);
ROLLBACK TO here;
INSERT INTO $audit.entries (what) VALUES ('two');
COMMIT;
BEGIN;
INSERT INTO people (name) VALUES ('Nobody');
ROLLBACK;
BEGIN;
INSERT INTO people (name, photo) VALUES ('large', REPEAT(x'00ff27', 350000));
INSERT INTO people (name, photo) VALUES ('larger', REPEAT(x'5c2260', 350000));
COMMIT;
-- From another tenant's schema, from the system's, and from none.
-- session $other
CREATE TABLE $data.elsewhere (id INT PRIMARY KEY, x TEXT);
INSERT INTO $data.elsewhere VALUES (1, 'one');
ALTER TABLE $data.elsewhere ADD COLUMN y INT DEFAULT 5 FIRST;
INSERT INTO $data.elsewhere (id) VALUES (2);
CREATE INDEX i ON $data.elsewhere (y);
RENAME TABLE $data.elsewhere TO $data.moved;
CREATE TABLE $data.dropped SELECT * FROM $data.moved;
DROP TABLE $data.dropped;
CREATE VIEW $data.view_of_it AS SELECT * FROM $data.moved;
-- session mysql
CREATE TABLE $data.elsewhere LIKE $data.moved;
INSERT INTO $data.elsewhere SELECT * FROM $data.moved;
CREATE TRIGGER $data.inner_one BEFORE INSERT ON $data.elsewhere FOR EACH ROW SET NEW.y = 7;
INSERT INTO $data.elsewhere (id) VALUES (3);
DROP VIEW $data.view_of_it;
-- session
CREATE TABLE $data.nowhere (id INT PRIMARY KEY AUTO_INCREMENT, x TEXT);
INSERT INTO $data.nowhere (x) VALUES ('two'), ('three');
ALTER TABLE $data.nowhere DROP COLUMN x;
TRUNCATE $data.elsewhere;
-- session $other
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
CREATE TABLE "$data"."quoted ""so""" (id INT, "x\" VARCHAR(20) DEFAULT '\');
INSERT INTO "$data"."quoted ""so""" (id) VALUES (1);
