-- nothing

-- other SQL
SELECT 'hunter2' FROM t
-- a string without an end
CREATE EXTERNAL CONNECTION backup AS 's3://bucket?TOKEN=hunter2
-- a string in dollars without an end
CREATE EXTERNAL CONNECTION backup AS $q$s3://bucket?TOKEN=hunter2$$
-- a comment without an end
SHOW EXTERNAL CONNECTIONS /* /* hunter2 */
-- a quoted name without an end
SHOW EXTERNAL CONNECTION "hunter2
-- a quote in the midst of a password
CREATE EXTERNAL CONNECTION backup AS 's3://bucket?TOKEN=hunt'hunter2'
-- an unknown escape
CREATE EXTERNAL CONNECTION backup AS e's3://hunter2\q'
-- a character that is none
CREATE EXTERNAL CONNECTION backup AS e's3://hunter2\ud800'
-- a placeholder that does not exist
SHOW EXTERNAL CONNECTION $0
-- a character that starts nothing
SHOW EXTERNAL CONNECTION @backup
-- two statements
SHOW USERS; SHOW ROLES
-- the second of several lines
CREATE EXTERNAL CONNECTION backup
  AS 's3://bucket?TOKEN=hunter2'
  WITH VALIDATE 'none'
