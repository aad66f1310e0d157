-- +goose Up
-- Rows are written shorter: see pack.go and quote.go. Those from before stay as they are and are read all the same,
-- but programs from before cannot read the new ones. quotes is the alert that a row quotes, 0 for none.
ALTER TABLE incident ADD COLUMN quotes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN quotes BIGINT NOT NULL DEFAULT 0;

-- The words are filled anew, and with them the rooms, whose names begin with a character that stands in no word.
DROP TABLE entry_text_terms;
DROP TABLE entry_text;
CREATE VIRTUAL TABLE entry_text USING fts5 (words, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 tokenchars '='", detail='none');
CREATE VIRTUAL TABLE entry_text_terms USING fts5vocab('entry_text', 'instance');
DELETE FROM cursor WHERE name = 'search';

-- +goose Down
DROP TABLE entry_text_terms;
DROP TABLE entry_text;
CREATE VIRTUAL TABLE entry_text USING fts5 (words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0', detail='none');
CREATE VIRTUAL TABLE entry_text_terms USING fts5vocab('entry_text', 'instance');
DELETE FROM cursor WHERE name = 'search';
ALTER TABLE entry DROP COLUMN quotes;
ALTER TABLE incident DROP COLUMN quotes;
