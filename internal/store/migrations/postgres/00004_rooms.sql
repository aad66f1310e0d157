-- +goose Up
-- Rooms: "" is the organisation's timeline. A thread is named by its first message.
ALTER TABLE entry ADD COLUMN room   TEXT   NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN thread BIGINT NOT NULL DEFAULT 0;
CREATE INDEX entry_room ON entry (room, seq) WHERE room <> '';
CREATE INDEX entry_thread ON entry (thread, seq) WHERE thread > 0;

-- What became of a message after it was posted; most have no row.
CREATE TABLE message (
    seq    BIGINT PRIMARY KEY,
    room   TEXT   NOT NULL,
    pinned BIGINT NOT NULL, -- since when; 0: it is not
    body   TEXT   NOT NULL  -- JSON
);
CREATE INDEX message_pinned ON message (room, pinned) WHERE pinned > 0;

-- How far somebody has read a room.
CREATE TABLE mark (
    person TEXT   NOT NULL,
    room   TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    PRIMARY KEY (person, room)
);

-- Who was called by a message.
CREATE TABLE mention (
    person TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    room   TEXT   NOT NULL,
    PRIMARY KEY (person, seq)
);

-- Uploaded files: where their content is kept, and which message shows them.
CREATE TABLE file (
    id     TEXT PRIMARY KEY,
    key    TEXT   NOT NULL, -- in the bucket
    person TEXT   NOT NULL, -- who uploaded it
    room   TEXT   NOT NULL, -- of the message; meaningless while seq is 0
    seq    BIGINT NOT NULL, -- 0: no message shows it yet
    at     BIGINT NOT NULL,
    body   TEXT   NOT NULL  -- JSON
);
CREATE INDEX file_room ON file (room, seq) WHERE seq > 0;
CREATE INDEX file_loose ON file (at) WHERE seq = 0;
CREATE INDEX file_key ON file (key);

-- Who is there: one row for each open page or program, gone when it is not renewed.
CREATE TABLE presence (
    session TEXT PRIMARY KEY,
    person  TEXT    NOT NULL,
    device  TEXT    NOT NULL, -- browser, phone, robot
    active  BOOLEAN NOT NULL, -- false: away
    room    TEXT    NOT NULL, -- where they are typing
    typing  BIGINT  NOT NULL, -- until when; 0: they are not
    until   BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE presence;
DROP TABLE file; DROP TABLE mention; DROP TABLE mark; DROP TABLE message;
DROP INDEX entry_thread; DROP INDEX entry_room;
ALTER TABLE entry DROP COLUMN thread; ALTER TABLE entry DROP COLUMN room;
