-- Restore points of stores, and where they are written to.

-- +goose Up

CREATE TABLE backup_targets (
	id         TEXT    PRIMARY KEY,
	name       TEXT    NOT NULL UNIQUE,
	endpoint   TEXT    NOT NULL, -- URL of the S3 service
	bucket     TEXT    NOT NULL,
	prefix     TEXT    NOT NULL DEFAULT '',
	region     TEXT    NOT NULL DEFAULT '',
	path_style BOOLEAN NOT NULL DEFAULT FALSE,
	ca         TEXT    NOT NULL DEFAULT '', -- PEM; empty for the system's certificates
	key_id     TEXT    NOT NULL,
	secret     TEXT    NOT NULL, -- sealed
	in_use     BOOLEAN NOT NULL DEFAULT FALSE,
	created_at BIGINT  NOT NULL,
	updated_at BIGINT  NOT NULL
);
CREATE UNIQUE INDEX backup_targets_in_use ON backup_targets (in_use) WHERE in_use;

-- The passwords of the stores' repositories. Without its password nobody can read a repository.
CREATE TABLE repositories (
	store_id     TEXT   PRIMARY KEY REFERENCES stores (id),
	password     TEXT   NOT NULL, -- sealed
	created_at   BIGINT NOT NULL,
	scheduled_at BIGINT NOT NULL DEFAULT 0, -- when a scheduled backup was begun last; 0 for never
	pruned_at    BIGINT NOT NULL DEFAULT 0  -- when the data was deleted last that no snapshot uses; 0 for never
);

-- A point is recorded once all its snapshots are written.
CREATE TABLE restore_points (
	id            TEXT   PRIMARY KEY, -- of the job that made it; its snapshots are tagged with it
	store_id      TEXT   NOT NULL REFERENCES stores (id),
	target_id     TEXT   NOT NULL REFERENCES backup_targets (id),
	reason        TEXT   NOT NULL,
	note          TEXT   NOT NULL DEFAULT '',
	asked_by      TEXT   NOT NULL DEFAULT '', -- a user's id; empty for the platform itself
	asked_by_name TEXT   NOT NULL DEFAULT '', -- at the time
	manifest      TEXT   NOT NULL, -- JSON
	began_at      BIGINT NOT NULL,
	ended_at      BIGINT NOT NULL,
	expired_at    BIGINT NOT NULL DEFAULT 0 -- since when the plan doesn't keep it, and its snapshots are to be deleted; 0 for a kept one
);
CREATE INDEX restore_points_store ON restore_points (store_id, ended_at);

-- How often the stores of a plan are backed up by the platform, and how many of their points are kept.
ALTER TABLE plans ADD COLUMN backup_every INTEGER NOT NULL DEFAULT 24; -- hours; 0 for never
ALTER TABLE plans ADD COLUMN keep_hourly  INTEGER NOT NULL DEFAULT 24;
ALTER TABLE plans ADD COLUMN keep_daily   INTEGER NOT NULL DEFAULT 14;
ALTER TABLE plans ADD COLUMN keep_weekly  INTEGER NOT NULL DEFAULT 8;
ALTER TABLE plans ADD COLUMN keep_monthly INTEGER NOT NULL DEFAULT 12;

-- +goose Down

ALTER TABLE plans DROP COLUMN keep_monthly;
ALTER TABLE plans DROP COLUMN keep_weekly;
ALTER TABLE plans DROP COLUMN keep_daily;
ALTER TABLE plans DROP COLUMN keep_hourly;
ALTER TABLE plans DROP COLUMN backup_every;

DROP TABLE restore_points;
DROP TABLE repositories;
DROP TABLE backup_targets;
