-- Several key slots, each with a code, and generations of the store's key.

ALTER TABLE key_slots ADD COLUMN label      TEXT    NOT NULL DEFAULT '';
ALTER TABLE key_slots ADD COLUMN created    INTEGER NOT NULL DEFAULT 0;
-- What it takes besides the key itself, in the words of the slot's kind.
ALTER TABLE key_slots ADD COLUMN parameters TEXT    NOT NULL DEFAULT '';
ALTER TABLE key_slots ADD COLUMN recipient  BLOB    NOT NULL DEFAULT x'';
ALTER TABLE key_slots ADD COLUMN proof      BLOB    NOT NULL DEFAULT x'';
ALTER TABLE key_slots ADD COLUMN code       BLOB    NOT NULL DEFAULT x'';

-- The generation of the store's key that the slots hold, the oldest one that any row lies under, and
-- the highest number that a slot ever had.
ALTER TABLE store ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
ALTER TABLE store ADD COLUMN oldest     INTEGER NOT NULL DEFAULT 1;
ALTER TABLE store ADD COLUMN last_slot  INTEGER NOT NULL DEFAULT 1;

-- Older generations of the store's key, sealed under the newest, while rows still lie under them.
CREATE TABLE store_keys (
    generation INTEGER NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    code       BLOB    NOT NULL
) STRICT;
