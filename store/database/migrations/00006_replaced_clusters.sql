-- Clusters that were lost, and whose stores come back in another one.

-- +goose Up

ALTER TABLE clusters ADD COLUMN replaced_at BIGINT NOT NULL DEFAULT 0; -- when another cluster took its place last; 0 for never
ALTER TABLE clusters ADD COLUMN lost_uid TEXT NOT NULL DEFAULT ''; -- of the one whose place was taken last, which is not worked with again

-- +goose Down

ALTER TABLE clusters DROP COLUMN lost_uid;
ALTER TABLE clusters DROP COLUMN replaced_at;
