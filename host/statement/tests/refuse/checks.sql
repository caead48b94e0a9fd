-- a number that is too large
CHECK EXTERNAL CONNECTION backup WITH CONCURRENTLY = 99999999999999999999
-- letters after a number
CHECK EXTERNAL CONNECTION backup WITH CONCURRENTLY = 5s
-- a string for a number
CHECK EXTERNAL CONNECTION backup WITH CONCURRENTLY = 'hunter2'
-- an option twice
CHECK EXTERNAL CONNECTION backup WITH TRANSFER = '1', TIME = '1s', TRANSFER = '2'
-- an option of another statement
VALIDATE EXTERNAL CONNECTION backup WITH COMMENT = 'hunter2'
-- an unclosed list of options
CHECK EXTERNAL CONNECTION backup WITH OPTIONS (TIME = '1s'
