-- The key that the platform's own records are encrypted with for the case that everything else is lost, and how their
-- backup goes. There is one row at most.

-- +goose Up

CREATE TABLE recovery (
	id         INTEGER PRIMARY KEY, -- 1
	recipient  TEXT    NOT NULL, -- the public half of the key; nobody but its owner has the other one
	made_by    TEXT    NOT NULL, -- a user's name at the time
	made_at    BIGINT  NOT NULL,
	tried_at   BIGINT  NOT NULL DEFAULT 0, -- 0 for never
	saved_at   BIGINT  NOT NULL DEFAULT 0, -- 0 for never
	saved_size BIGINT  NOT NULL DEFAULT 0, -- bytes
	failed     TEXT    NOT NULL DEFAULT '' -- why the last try came to nothing
);

-- +goose Down

DROP TABLE recovery;
