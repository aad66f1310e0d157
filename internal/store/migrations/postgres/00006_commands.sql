-- +goose Up
-- Commands that somebody gave, and what became of them.
CREATE TABLE invocation (
    id            TEXT PRIMARY KEY,
    number        BIGINT  NOT NULL UNIQUE, -- what people type
    state         TEXT    NOT NULL,
    command       TEXT    NOT NULL,
    person        TEXT    NOT NULL, -- who asked
    room          TEXT    NOT NULL,
    incident      BIGINT  NOT NULL, -- 0: none
    lock          TEXT    NOT NULL, -- what its run locks; empty: nothing
    short         TEXT    NOT NULL, -- what to type to approve it, while it waits for that
    asked_at      BIGINT  NOT NULL,
    due_at        BIGINT  NOT NULL, -- when its state must be looked at; 0: never
    waits         BOOLEAN NOT NULL, -- for a lock or its turn
    claimed_by    TEXT    NOT NULL,
    claimed_until BIGINT  NOT NULL,
    cancel_at     BIGINT  NOT NULL, -- since when its run is to stop; 0: it is not
    body          TEXT    NOT NULL, -- JSON; secrets in it are sealed, and gone when it is over
    output        TEXT    NOT NULL
);
CREATE INDEX invocation_due ON invocation (due_at) WHERE due_at > 0;
CREATE INDEX invocation_person ON invocation (person, number);
CREATE INDEX invocation_room ON invocation (room, number);
CREATE INDEX invocation_incident ON invocation (incident, number) WHERE incident > 0;
CREATE INDEX invocation_open ON invocation (state, number) WHERE due_at > 0;

-- The audit. Rows are never changed. sum is of the row, hash of the hash before and sum.
CREATE TABLE invocation_event (
    seq        BIGINT PRIMARY KEY,
    invocation TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    body       TEXT   NOT NULL, -- JSON
    sum        TEXT   NOT NULL,
    hash       TEXT   NOT NULL
);
CREATE INDEX invocation_event_of ON invocation_event (invocation, seq);

-- What somebody keeps others from.
CREATE TABLE lock (
    name       TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- run, sticky: who has the one may take the other
    until      BIGINT NOT NULL, -- 0: until it is released
    invocation TEXT   NOT NULL, -- the run it is for
    body       TEXT   NOT NULL, -- JSON
    PRIMARY KEY (name, kind)
);
CREATE INDEX lock_until ON lock (until) WHERE until > 0;

-- Buttons: the hash of a token, and the line that pressing it gives.
CREATE TABLE action (
    hash       TEXT PRIMARY KEY,
    seq        BIGINT NOT NULL, -- the message it belongs to
    invocation TEXT   NOT NULL, -- it is about; may be empty
    person     TEXT   NOT NULL, -- who alone may press it; empty: whoever sees it
    line       TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL  -- 0: it was not
);
CREATE INDEX action_expires ON action (expires_at);
CREATE INDEX action_invocation ON action (invocation) WHERE invocation <> '';

-- +goose Down
DROP TABLE action; DROP TABLE lock; DROP TABLE invocation_event; DROP TABLE invocation;
