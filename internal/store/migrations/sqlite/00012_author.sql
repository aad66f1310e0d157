-- +goose Up
-- What one person said in one room: walking along either of the two finds mostly what is the other's.
CREATE INDEX entry_author ON entry (person, room, seq) WHERE person <> '' AND room <> '';

-- +goose Down
DROP INDEX entry_author;
