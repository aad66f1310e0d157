-- +goose Up
-- The intake finds open incidents by their entity, where state <> 'resolved'. As long as the index for lists of
-- open ones had that condition too, PostgreSQL took either of them when its figures said that hardly anything was
-- open, and walked along all that was open for each group of alerts. The new condition is not implied by the intake's.
DROP INDEX incident_state;
CREATE INDEX incident_state ON incident (state, id) WHERE state IN ('triggered', 'acknowledged');

-- +goose Down
DROP INDEX incident_state;
CREATE INDEX incident_state ON incident (state, id) WHERE state <> 'resolved';
