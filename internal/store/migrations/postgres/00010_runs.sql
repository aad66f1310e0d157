-- +goose Up
-- When the last run of a command began; 0: none has. Limits count by it.
ALTER TABLE invocation ADD COLUMN started_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX invocation_started ON invocation (command, started_at) WHERE started_at > 0;

-- +goose Down
DROP INDEX invocation_started;
ALTER TABLE invocation DROP COLUMN started_at;
