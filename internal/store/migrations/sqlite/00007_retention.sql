-- +goose Up
-- What goes with an entry that is removed.
CREATE INDEX mention_seq ON mention (seq);
CREATE INDEX file_seq ON file (seq) WHERE seq > 0;

-- +goose Down
DROP INDEX file_seq; DROP INDEX mention_seq;
