-- Rehearsals of restores: a restore point of a store is restored into a store of its own, which is removed afterwards.

-- +goose Up

ALTER TABLE stores ADD COLUMN purpose TEXT NOT NULL DEFAULT 'shop';

-- How often the restore of a plan's stores is rehearsed.
ALTER TABLE plans ADD COLUMN drill_every INTEGER NOT NULL DEFAULT 7; -- days; 0 for never

CREATE TABLE drills (
	id           TEXT    PRIMARY KEY, -- of the store that it is made in, which is forgotten sooner
	store_id     TEXT    NOT NULL REFERENCES stores (id) ON DELETE CASCADE, -- whose point it is
	point_id     TEXT    NOT NULL, -- which may be gone
	made_at      BIGINT  NOT NULL, -- when the point was made
	began_at     BIGINT  NOT NULL,
	ended_at     BIGINT  NOT NULL DEFAULT 0, -- 0 while it goes on
	order_number TEXT    NOT NULL DEFAULT '', -- that was placed
	simulated    BOOLEAN NOT NULL DEFAULT FALSE,
	failure      TEXT    NOT NULL DEFAULT '{}' -- JSON
);
CREATE INDEX drills_store ON drills (store_id, began_at);
CREATE UNIQUE INDEX drills_going_on ON drills (store_id) WHERE ended_at = 0;

-- Lists show no stores that are made for drills: so that no other row is read, the indexes have the purpose too.
DROP INDEX stores_created;
DROP INDEX stores_name;
DROP INDEX stores_status;
CREATE INDEX stores_created ON stores (team_id, created_at, id, engine, purpose) WHERE deleted_at = 0;
CREATE INDEX stores_name ON stores (team_id, LOWER(name), id, engine, purpose) WHERE deleted_at = 0;
CREATE INDEX stores_status ON stores (team_id, status, created_at, id, engine, purpose) WHERE deleted_at = 0;

-- +goose Down

DROP INDEX stores_created;
DROP INDEX stores_name;
DROP INDEX stores_status;
CREATE INDEX stores_created ON stores (team_id, created_at, id, engine) WHERE deleted_at = 0;
CREATE INDEX stores_name ON stores (team_id, LOWER(name), id, engine) WHERE deleted_at = 0;
CREATE INDEX stores_status ON stores (team_id, status, created_at, id, engine) WHERE deleted_at = 0;

DROP TABLE drills;

ALTER TABLE plans DROP COLUMN drill_every;
ALTER TABLE stores DROP COLUMN purpose;
