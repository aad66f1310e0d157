-- +goose Up
-- What people prove themselves with beside their password.
CREATE TABLE factor (
    person    TEXT PRIMARY KEY,
    sealed    TEXT   NOT NULL, -- what the codes are computed from
    made_at   BIGINT NOT NULL,
    last_step BIGINT NOT NULL  -- of the last code that was taken: each works once
);
-- For the day on which the phone is gone. A code that was used is no row any more.
CREATE TABLE recovery (
    hash   TEXT PRIMARY KEY, -- with a key: the codes are short
    person TEXT NOT NULL
);
CREATE INDEX recovery_person ON recovery (person);
-- When somebody last showed it in this browser; 0: never.
ALTER TABLE session ADD COLUMN proven_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE session DROP COLUMN proven_at; DROP TABLE recovery; DROP TABLE factor;
