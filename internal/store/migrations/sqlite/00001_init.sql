-- +goose Up
-- One row: the numbers given out so far, and the lock that makes all writers one.
CREATE TABLE head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    epoch    TEXT   NOT NULL, -- changes when a backup is restored
    seq      BIGINT NOT NULL, -- entries
    incident BIGINT NOT NULL,
    alert    BIGINT NOT NULL,
    delivery BIGINT NOT NULL,
    rev      BIGINT NOT NULL, -- one for each time an incident was saved
    config   BIGINT NOT NULL, -- one for each commit that changed a definition
    at       BIGINT NOT NULL  -- time of the last entry; instants are microseconds since 1970, UTC
);
INSERT INTO head VALUES (1, '', 0, 0, 0, 0, 0, 0, 0);

-- Users, teams, rotations, policies, routing keys, integrations, settings: every version ever.
CREATE TABLE definition (
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    rev     BIGINT  NOT NULL, -- head.config of the commit
    current BOOLEAN NOT NULL,
    at      BIGINT  NOT NULL,
    body    TEXT    NOT NULL, -- JSON; empty when deleted
    PRIMARY KEY (kind, id, rev)
);

CREATE TABLE incident (
    id        INTEGER PRIMARY KEY,
    rev       BIGINT NOT NULL,
    state     TEXT   NOT NULL,
    entity_id TEXT   NOT NULL,
    team      TEXT   NOT NULL,
    body      TEXT   NOT NULL
);
CREATE UNIQUE INDEX incident_open ON incident (entity_id) WHERE state <> 'resolved';
CREATE INDEX incident_state ON incident (state, id) WHERE state <> 'resolved';
CREATE INDEX incident_team ON incident (team, id);
CREATE INDEX incident_rev ON incident (rev);

CREATE TABLE alert (
    id          INTEGER PRIMARY KEY,
    incident    BIGINT NOT NULL, -- 0: none
    integration TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    raw         TEXT   NOT NULL
);
CREATE INDEX alert_incident ON alert (incident, id) WHERE incident > 0;
CREATE INDEX alert_integration ON alert (integration, id);

-- The timeline. Rows are never changed or removed but by retention.
CREATE TABLE entry (
    seq      INTEGER PRIMARY KEY,
    at       BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    incident BIGINT NOT NULL, -- 0: none
    team     TEXT   NOT NULL,
    person   TEXT   NOT NULL,
    actor    TEXT   NOT NULL, -- JSON; empty: the server itself
    payload  TEXT   NOT NULL  -- JSON
);
CREATE INDEX entry_kind ON entry (kind, seq);
CREATE INDEX entry_incident ON entry (incident, seq) WHERE incident > 0;
CREATE INDEX entry_team ON entry (team, seq) WHERE team <> '';
CREATE INDEX entry_person ON entry (person, seq) WHERE person <> '';

-- The words of the timeline, filled behind it by a follower.
CREATE VIRTUAL TABLE entry_text USING fts5 (words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0', detail='none');

CREATE TABLE timer (
    kind     TEXT   NOT NULL,
    incident BIGINT NOT NULL,
    due_at   BIGINT NOT NULL,
    PRIMARY KEY (kind, incident)
);
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE delivery (
    id            INTEGER PRIMARY KEY,
    key           TEXT   NOT NULL UNIQUE, -- idempotency key
    kind          TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    claimed_by    TEXT   NOT NULL,
    claimed_until BIGINT NOT NULL,
    attempt       BIGINT NOT NULL,
    incident      BIGINT NOT NULL, -- 0: none
    entry         BIGINT NOT NULL, -- the entry that asked for it; 0: none
    person        TEXT   NOT NULL,
    contact       TEXT   NOT NULL, -- what it is bundled by
    body          TEXT   NOT NULL
);
CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'pending';
CREATE INDEX delivery_incident ON delivery (incident, id) WHERE incident > 0;

CREATE TABLE cursor (
    name TEXT PRIMARY KEY,
    seq  BIGINT NOT NULL
);

CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    holder TEXT   NOT NULL,
    until  BIGINT NOT NULL,
    term   BIGINT NOT NULL
);

-- Sign-in. Secrets are hashes here.
CREATE TABLE credential (
    person   TEXT PRIMARY KEY,
    password TEXT NOT NULL, -- argon2id, PHC string format
    at       BIGINT NOT NULL
);
CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE,
    person     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    agent      TEXT   NOT NULL
);
CREATE INDEX session_person ON session (person);
CREATE TABLE token (
    id         TEXT PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE,
    person     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    scopes     TEXT   NOT NULL, -- separated by spaces; empty: all that the person may
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL  -- 0: never used
);
CREATE TABLE link (
    hash       TEXT PRIMARY KEY,
    purpose    TEXT   NOT NULL, -- setup, invite, reset
    person     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE link; DROP TABLE token; DROP TABLE session; DROP TABLE credential; DROP TABLE lease; DROP TABLE cursor;
DROP TABLE delivery; DROP TABLE timer; DROP TABLE entry_text; DROP TABLE entry; DROP TABLE alert; DROP TABLE incident;
DROP TABLE definition; DROP TABLE head;
