-- +goose Up
-- What is unread is counted for each room, the timeline among them: messages alone, for alerts are many.
CREATE INDEX entry_said ON entry (room, seq) WHERE kind = 'message_posted';
CREATE INDEX mention_room ON mention (person, room, seq);

-- A message that was deleted is nothing to be read.
ALTER TABLE message ADD COLUMN gone BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE message SET gone = TRUE WHERE body LIKE '%"deleted_at":%';
DELETE FROM mention WHERE EXISTS (SELECT 1 FROM message WHERE message.seq = mention.seq AND message.gone);

-- In which thread of the room somebody is typing; 0: in none.
ALTER TABLE presence ADD COLUMN thread BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE presence DROP COLUMN thread;
ALTER TABLE message DROP COLUMN gone;
DROP INDEX mention_room; DROP INDEX entry_said;
