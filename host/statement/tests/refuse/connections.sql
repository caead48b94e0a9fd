-- no AS
CREATE EXTERNAL CONNECTION backup 's3://bucket?AWS_SECRET_ACCESS_KEY=hunter2'
-- no URI
CREATE EXTERNAL CONNECTION backup AS
-- no name
CREATE EXTERNAL CONNECTION AS 's3://bucket'
-- a reserved word as a name
CREATE EXTERNAL CONNECTION table AS 's3://bucket?TOKEN=hunter2'
-- a misspelt keyword
CREATE EXTRENAL CONNECTION backup AS 's3://bucket?TOKEN=hunter2'
-- a misspelt keyword at the end
CREATE EXTERNAL CONNECTION backup AS 's3://bucket?TOKEN=hunter2' WIHT VALIDATE = 'none'
-- an expression
CREATE EXTERNAL CONNECTION backup AS 's3://bucket?TOKEN=' || 'hunter2'
-- a literal in parentheses
CREATE EXTERNAL CONNECTION backup AS ('hunter2')
-- bytes
CREATE EXTERNAL CONNECTION backup AS x'hunter2'
-- a URI that nobody quoted
CREATE EXTERNAL CONNECTION backup AS s3://bucket?TOKEN=hunter2
-- an option twice
CREATE EXTERNAL CONNECTION backup AS 's3://b' WITH VALIDATE = 'none', VALIDATE = 'full'
-- an option that does not exist
CREATE EXTERNAL CONNECTION backup AS 's3://b' WITH VALIDTE = 'hunter2'
-- a parameter twice
CREATE EXTERNAL CONNECTION backup AS 's3://b' PARAMETERS (A = 'hunter2', A = 'hunter2')
-- a parameter with a word as its value
ALTER EXTERNAL CONNECTION backup SET (sasl_password = hunter2)
-- a parameter whose name cannot be one
ALTER EXTERNAL CONNECTION backup SET ("hunter2 x" = '1')
-- two conditions that contradict each other
ALTER EXTERNAL CONNECTION IF EXISTS IF NOT EXISTS backup AS 's3://b'
-- the condition of another statement
ALTER EXTERNAL CONNECTION IF NOT EXISTS backup AS 's3://b'
-- nothing to change
ALTER EXTERNAL CONNECTION backup
-- a plural with a name
SHOW EXTERNAL CONNECTIONS backup
-- a plural without ALL
SHOW CREATE EXTERNAL CONNECTIONS
-- a comment that is no string
COMMENT ON EXTERNAL CONNECTION backup IS hunter2
-- CASCADE
DROP EXTERNAL CONNECTION backup CASCADE
