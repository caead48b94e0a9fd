-- a string where an identifier is taken
GRANT USAGE ON EXTERNAL CONNECTION 'backup' TO ann
-- a placeholder where an identifier is taken
SHOW GRANTS ON EXTERNAL CONNECTION $1
-- a keyword where an identifier is taken
GRANT USAGE ON EXTERNAL CONNECTION full TO ann
-- the wrong option for privileges
GRANT USAGE ON EXTERNAL CONNECTION backup TO ann WITH ADMIN OPTION
-- the wrong option for roles
REVOKE GRANT OPTION FOR operators FROM ann
-- TO where FROM belongs
REVOKE USAGE ON EXTERNAL CONNECTION backup TO ann
-- no privilege
GRANT ON EXTERNAL CONNECTION backup TO ann
-- a password
CREATE USER ann WITH PASSWORD 'hunter2'
-- a reserved name
CREATE USER user
