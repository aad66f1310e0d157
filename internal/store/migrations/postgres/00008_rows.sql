-- +goose Up
-- Rows are written shorter: see pack.go and quote.go. Those from before stay as they are and are read all the same,
-- but programs from before cannot read the new ones. quotes is the alert that a row quotes, 0 for none.
ALTER TABLE incident ADD COLUMN quotes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN quotes BIGINT NOT NULL DEFAULT 0;

-- The words as text take a third less than as a vector. Each has a space before it. They are filled anew, and with them the rooms.
DROP TABLE entry_text;
CREATE TABLE entry_text (
    seq   BIGINT PRIMARY KEY,
    words TEXT NOT NULL
);
CREATE INDEX entry_text_words ON entry_text USING GIN (array_to_tsvector(string_to_array(substr(words, 2), ' ')));
DELETE FROM cursor WHERE name = 'search';

-- +goose Down
DROP TABLE entry_text;
CREATE TABLE entry_text (
    seq   BIGINT PRIMARY KEY,
    words TSVECTOR NOT NULL
);
CREATE INDEX entry_text_words ON entry_text USING GIN (words);
DELETE FROM cursor WHERE name = 'search';
ALTER TABLE entry DROP COLUMN quotes;
ALTER TABLE incident DROP COLUMN quotes;
