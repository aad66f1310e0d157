-- +goose Up
-- What becomes of a page after it left: who carries it, under which id there,
-- and until when it should have arrived (due_at, while the state is accepted).
ALTER TABLE delivery ADD COLUMN provider TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN remote   TEXT NOT NULL DEFAULT '';
CREATE INDEX delivery_remote ON delivery (remote) WHERE remote <> '';
CREATE INDEX delivery_awaited ON delivery (due_at) WHERE state = 'accepted';
CREATE INDEX delivery_contact ON delivery (contact, id) WHERE contact <> '';

-- When a monitored job last called in, and since when it is known to be silent (0: it is not).
CREATE TABLE beat (
    heartbeat TEXT PRIMARY KEY,
    at        BIGINT NOT NULL,
    missed    BIGINT NOT NULL
);

-- The last alert of each entity that a maintenance window keeps from opening an
-- incident, until it is decided again.
CREATE TABLE muted (
    entity TEXT PRIMARY KEY,
    alert  BIGINT NOT NULL,
    until  BIGINT NOT NULL
);
CREATE INDEX muted_until ON muted (until);

-- +goose Down
DROP TABLE muted;
DROP TABLE beat;
DROP INDEX delivery_contact; DROP INDEX delivery_awaited; DROP INDEX delivery_remote;
ALTER TABLE delivery DROP COLUMN remote; ALTER TABLE delivery DROP COLUMN provider;
