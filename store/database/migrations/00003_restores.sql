-- Stores that are opened with a restore point of another one.

-- +goose Up

ALTER TABLE stores ADD COLUMN origin TEXT NOT NULL DEFAULT '{}'; -- JSON

-- +goose Down

ALTER TABLE stores DROP COLUMN origin;
