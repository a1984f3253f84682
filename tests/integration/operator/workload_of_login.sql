-- What a workspace's own login may do, too.
-- session $data
CREATE TABLE own (id INT PRIMARY KEY, x TEXT);
LOCK TABLES own WRITE;
INSERT INTO own VALUES (1, 'locked');
UNLOCK TABLES;
XA START 'one', 'two', 3;
INSERT INTO own VALUES (2, 'xa');
INSERT INTO $audit.entries (what) VALUES ('xa');
XA END 'one', 'two', 3;
XA PREPARE 'one', 'two', 3;
XA COMMIT 'one', 'two', 3;
XA START 'back';
INSERT INTO own VALUES (3, 'never');
XA END 'back';
XA PREPARE 'back';
XA ROLLBACK 'back';
XA START 'phase';
INSERT INTO own VALUES (4, 'one phase');
XA END 'phase';
XA COMMIT 'phase' ONE PHASE;
CREATE VIEW own_view AS SELECT * FROM own;
UPDATE own SET x = 'new';
