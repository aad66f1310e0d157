-- +goose Up
-- The words of entry_text themselves, to find those that begin like what somebody types.
CREATE VIRTUAL TABLE entry_text_terms USING fts5vocab('entry_text', 'instance');

-- +goose Down
DROP TABLE entry_text_terms;
