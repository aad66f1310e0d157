-- +goose Up
-- Nothing here: the index finds the beginnings of words by itself.
SELECT 1;

-- +goose Down
SELECT 1;
