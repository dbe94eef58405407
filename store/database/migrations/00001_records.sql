-- One text for SQLite and Postgres: ids are made by us, times are microseconds UTC and
-- 0 means "not yet", so that neither database's own types are needed. No list of words is checked
-- that may become longer: SQLite would have to write the table anew.

-- +goose Up

CREATE TABLE counters (
	name  TEXT   PRIMARY KEY,
	value BIGINT NOT NULL
);
-- events: the number of the last event; its row lock makes numbers appear in commit order.
-- claims: the number of the last claim; locked while a job is claimed, so that limits hold over all replicas.
-- mail: the number of the last event that mail was made of; -1 before the first look.
-- invitation mails: locked while one is counted, so that limits hold over all replicas.
-- readers: the schema version that a binary must know to use the database. A migration that only adds leaves it, so
-- that binaries of the release before run beside the new ones, and start again.
-- pruned: when what is too old was last removed, in microseconds UTC.
-- users: locked while one is let in or changed, so that there is one first user, and the last
-- administrator stays.
INSERT INTO counters (name, value) VALUES ('events', 0), ('claims', 0), ('mail', -1), ('users', 0), ('invitation mails', 0), ('readers', 1), ('pruned', 0);

CREATE TABLE users (
	id           TEXT    PRIMARY KEY,
	name         TEXT    NOT NULL,
	email        TEXT    NOT NULL,
	search       TEXT    NOT NULL DEFAULT '', -- name and email, folded
	admin        BOOLEAN NOT NULL,
	disabled     BOOLEAN NOT NULL,
	created_at   BIGINT  NOT NULL,
	last_seen_at BIGINT  NOT NULL
);

CREATE TABLE identities (
	provider   TEXT    NOT NULL,
	subject    TEXT    NOT NULL,
	user_id    TEXT    NOT NULL REFERENCES users (id),
	email      TEXT    NOT NULL, -- in the form in which addresses are compared
	verified   BOOLEAN NOT NULL, -- whether the provider says that the address is that person's
	created_at BIGINT  NOT NULL,
	used_at    BIGINT  NOT NULL,
	PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_user ON identities (user_id);
CREATE INDEX identities_email ON identities (email) WHERE verified;

-- The states of sign-ins that came back from a provider: each is good once.
CREATE TABLE used_states (
	state_hash TEXT   PRIMARY KEY,
	expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
	id_hash      TEXT   PRIMARY KEY,
	user_id      TEXT   NOT NULL REFERENCES users (id),
	device       TEXT   NOT NULL,
	address      TEXT   NOT NULL,
	created_at   BIGINT NOT NULL,
	last_seen_at BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

-- Links with which somebody signs in once as administrator.
CREATE TABLE login_links (
	secret_hash TEXT   PRIMARY KEY,
	created_at  BIGINT NOT NULL,
	expires_at  BIGINT NOT NULL,
	used_at     BIGINT NOT NULL
);

-- How many stores a team may have, and how much of its cluster each of them may take.
CREATE TABLE plans (
	name       TEXT    PRIMARY KEY,
	label      TEXT    NOT NULL,
	position   INTEGER NOT NULL, -- in lists, from small to large
	stores     INTEGER NOT NULL, -- living, of a team; 0 for no limit of the plan's own
	cpu        INTEGER NOT NULL, -- thousandths of a processor
	memory     INTEGER NOT NULL, -- MiB
	disk       INTEGER NOT NULL, -- MiB
	pods       INTEGER NOT NULL,
	updated_at BIGINT  NOT NULL
);
-- The smallest fits a shop of either engine.
INSERT INTO plans (name, label, position, stores, cpu, memory, disk, pods, updated_at) VALUES
	('free', 'Free', 1, 1, 5000, 6144, 20480, 10, 0),
	('standard', 'Standard', 2, 0, 5000, 8192, 20480, 20, 0),
	('pro', 'Pro', 3, 0, 8000, 16384, 51200, 30, 0);

CREATE TABLE teams (
	id         TEXT    PRIMARY KEY,
	name       TEXT    NOT NULL,
	search     TEXT    NOT NULL DEFAULT '', -- the name, folded
	personal   BOOLEAN NOT NULL,
	plan       TEXT    REFERENCES plans (name), -- none for the installation's default
	created_at BIGINT  NOT NULL,
	deleted_at BIGINT  NOT NULL DEFAULT 0 -- its events and the stores that it had refer to it
);

CREATE TABLE memberships (
	team_id    TEXT   NOT NULL REFERENCES teams (id),
	user_id    TEXT   NOT NULL REFERENCES users (id),
	role       TEXT   NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
	created_at BIGINT NOT NULL,
	PRIMARY KEY (team_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

-- Ways into a team: one that was used, taken back or is too old stays, so that whoever
-- follows its link is told so.
CREATE TABLE invitations (
	id          TEXT   PRIMARY KEY,
	team_id     TEXT   NOT NULL REFERENCES teams (id),
	email       TEXT   NOT NULL, -- in small letters; empty for a link that anybody may use
	role        TEXT   NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
	secret_hash TEXT   NOT NULL UNIQUE,
	invited_by  TEXT   NOT NULL REFERENCES users (id),
	created_at  BIGINT NOT NULL,
	expires_at  BIGINT NOT NULL,
	used_at     BIGINT NOT NULL,
	revoked_at  BIGINT NOT NULL
);
CREATE INDEX invitations_team ON invitations (team_id);
CREATE UNIQUE INDEX invitations_pending ON invitations (team_id, email) WHERE email <> '' AND used_at = 0 AND revoked_at = 0;

-- The mails of invitations within a day, which are limited.
CREATE TABLE invitation_mails (
	id            TEXT   PRIMARY KEY,
	invitation_id TEXT   NOT NULL,
	email         TEXT   NOT NULL,
	user_id       TEXT   NOT NULL, -- who has invited
	sent_at       BIGINT NOT NULL
);
CREATE INDEX invitation_mails_sent ON invitation_mails (sent_at);

CREATE TABLE api_tokens (
	id           TEXT   PRIMARY KEY,
	user_id      TEXT   NOT NULL REFERENCES users (id),
	team_id      TEXT   NOT NULL REFERENCES teams (id),
	name         TEXT   NOT NULL,
	token_hash   TEXT   NOT NULL UNIQUE,
	scopes       TEXT   NOT NULL,
	created_at   BIGINT NOT NULL,
	last_used_at BIGINT NOT NULL,
	expires_at   BIGINT NOT NULL
);
CREATE INDEX api_tokens_user ON api_tokens (user_id, created_at);

-- Answers to requests that may be sent twice, such as after a lost connection.
CREATE TABLE idempotency_keys (
	user_id    TEXT   NOT NULL REFERENCES users (id),
	key        TEXT   NOT NULL, -- that the sender chose
	digest     TEXT   NOT NULL, -- of what was asked for
	answer     TEXT   NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE clusters (
	id            TEXT    PRIMARY KEY,
	name          TEXT    NOT NULL UNIQUE,
	connection    TEXT    NOT NULL, -- configured or kubeconfig
	kubeconfig    TEXT    NOT NULL, -- encrypted; empty for the configured one
	base_domain   TEXT    NOT NULL,
	ingress_class TEXT    NOT NULL,
	storage_class TEXT    NOT NULL,
	region        TEXT    NOT NULL,
	visibility    TEXT    NOT NULL, -- public or private
	lifecycle     TEXT    NOT NULL, -- active, draining or retired
	capacity      INTEGER NOT NULL, -- stores; 0 for no limit
	uid           TEXT    NOT NULL, -- of its kube-system namespace, empty until first seen
	version       TEXT    NOT NULL,
	simulated     BOOLEAN NOT NULL,
	created_at    BIGINT  NOT NULL,
	seen_at       BIGINT  NOT NULL
);

CREATE TABLE stores (
	id                  TEXT   PRIMARY KEY,
	team_id             TEXT   NOT NULL REFERENCES teams (id),
	cluster_id          TEXT   NOT NULL REFERENCES clusters (id),
	name                TEXT   NOT NULL,
	slug                TEXT   NOT NULL,
	namespace           TEXT   NOT NULL,
	host                TEXT   NOT NULL,
	engine              TEXT   NOT NULL,
	template            TEXT   NOT NULL,
	country             TEXT   NOT NULL,
	currency            TEXT   NOT NULL,
	owner_email         TEXT   NOT NULL, -- to which the shop writes; empty for none
	plan                TEXT   NOT NULL REFERENCES plans (name),
	status              TEXT   NOT NULL,
	desired             TEXT   NOT NULL CHECK (desired IN ('present', 'absent')),
	generation          BIGINT NOT NULL,
	observed_generation BIGINT NOT NULL,
	job_id              TEXT   NOT NULL, -- the newest of those that only one at a time may do
	revision            BIGINT NOT NULL, -- of the Helm release in place; 0 for none
	sold                BIGINT NOT NULL, -- the newest revision with which it was ready; 0 for none
	chart_version       TEXT   NOT NULL,
	url                 TEXT   NOT NULL,
	admin_url           TEXT   NOT NULL,
	volumes             TEXT   NOT NULL, -- JSON: names of the claims that hold its data
	health              TEXT   NOT NULL, -- JSON
	search              TEXT   NOT NULL, -- name and host, folded
	created_by          TEXT   NOT NULL REFERENCES users (id),
	created_at          BIGINT NOT NULL,
	ready_at            BIGINT NOT NULL,
	deleted_at          BIGINT NOT NULL,
	updated_at          BIGINT NOT NULL
);
CREATE UNIQUE INDEX stores_living_slug ON stores (slug) WHERE deleted_at = 0;
CREATE UNIQUE INDEX stores_living_namespace ON stores (namespace) WHERE deleted_at = 0;
CREATE UNIQUE INDEX stores_living_host ON stores (host) WHERE deleted_at = 0;
-- The list in its orders, and by status: what filters it is in the index, so that rows are
-- read only of what is shown. The last one counts by status without reading any.
CREATE INDEX stores_created ON stores (team_id, created_at, id, engine) WHERE deleted_at = 0;
CREATE INDEX stores_name ON stores (team_id, LOWER(name), id, engine) WHERE deleted_at = 0;
CREATE INDEX stores_status ON stores (team_id, status, created_at, id, engine) WHERE deleted_at = 0;
CREATE INDEX stores_creator ON stores (created_by, created_at);

-- Work on stores: what is to be done, is being done, and was done. The row is the queue.
CREATE TABLE jobs (
	id            TEXT    PRIMARY KEY, -- labels the Helm release that the job makes
	store_id      TEXT    NOT NULL REFERENCES stores (id),
	cluster_id    TEXT    NOT NULL REFERENCES clusters (id),
	kind          TEXT    NOT NULL,
	exclusive     BOOLEAN NOT NULL, -- whether it is one of the kinds of which a store has one at a time
	state         TEXT    NOT NULL,
	priority      INTEGER NOT NULL, -- smaller ones go first
	due           BIGINT  NOT NULL, -- not before
	args          TEXT    NOT NULL, -- JSON: what exactly is to be done
	step          TEXT    NOT NULL, -- where it stands; empty until it was begun
	note          TEXT    NOT NULL, -- JSON: what there is to tell of the step
	result        TEXT    NOT NULL, -- JSON: what came of it so far
	attempt       INTEGER NOT NULL, -- 1 for the first; a retry is a job of its own
	worked        BIGINT  NOT NULL, -- working time, waiting not counted
	asked_by      TEXT    NOT NULL, -- a user's id; empty for the platform itself
	asked_by_name TEXT    NOT NULL, -- at the time
	asked_at      BIGINT  NOT NULL,
	began_at      BIGINT  NOT NULL,
	ended_at      BIGINT  NOT NULL,
	holder        TEXT    NOT NULL DEFAULT '', -- the process that works on it
	claim_number  BIGINT  NOT NULL DEFAULT 0,  -- one more with each claim of all; fences the writes of holders
	claim_until   BIGINT  NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX jobs_exclusive ON jobs (store_id) WHERE exclusive AND ended_at = 0;
CREATE UNIQUE INDEX jobs_of_kind ON jobs (store_id, kind) WHERE ended_at = 0;
CREATE INDEX jobs_due ON jobs (kind, priority, due) WHERE ended_at = 0;
CREATE INDEX jobs_held ON jobs (store_id, claim_until) WHERE claim_until > 0;
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at > 0;
CREATE INDEX jobs_store ON jobs (store_id);

-- The revisions of the stores' Helm releases, as long as the stores live and after.
CREATE TABLE revisions (
	store_id      TEXT   NOT NULL REFERENCES stores (id),
	number        BIGINT NOT NULL, -- as Helm counts, anew in a namespace that was made anew
	generation    BIGINT NOT NULL, -- of the store, that it was made for
	change        TEXT   NOT NULL, -- JSON: what it was for
	chart_version TEXT   NOT NULL,
	version       TEXT   NOT NULL, -- of the shop's program; empty when it is not known
	offer         TEXT   NOT NULL, -- digest of the chart and values that were offered then
	state         TEXT   NOT NULL,
	kept          BOOLEAN NOT NULL, -- whether the cluster keeps it: decides what is deleted there and what a rollback may go to
	failure       TEXT   NOT NULL, -- JSON: why it failed
	actor_id      TEXT   NOT NULL, -- who asked for it; empty for the platform itself
	actor         TEXT   NOT NULL,
	began_at      BIGINT NOT NULL,
	ended_at      BIGINT NOT NULL,
	PRIMARY KEY (store_id, generation, number)
);

CREATE TABLE events (
	number     BIGINT  PRIMARY KEY, -- in commit order, without gaps
	team_id    TEXT    NOT NULL,    -- who may see it; empty for everybody
	store_id   TEXT    NOT NULL,    -- empty when it is not about a store; outlives the store
	job_id     TEXT    NOT NULL,    -- empty when it is not about work on a store
	actor_id   TEXT    NOT NULL,    -- a user's id; empty for the platform itself
	actor      TEXT    NOT NULL,    -- the actor's name at the time
	token      TEXT    NOT NULL,    -- name of the token that was used; empty for a browser
	address    TEXT    NOT NULL,    -- IP address that it was asked from
	kind       TEXT    NOT NULL,
	step       TEXT    NOT NULL,
	object     TEXT    NOT NULL,    -- what it is about, by the name it had at the time
	data       TEXT    NOT NULL,    -- JSON
	audit      BOOLEAN NOT NULL,    -- never pruned
	created_at BIGINT  NOT NULL,
	who        TEXT    NOT NULL DEFAULT '', -- of an audited one, actor, token and address, folded
	what       TEXT    NOT NULL DEFAULT ''  -- of an audited one, the object and what was changed about it, folded
);
CREATE INDEX events_store ON events (store_id, number);
CREATE INDEX events_team ON events (team_id, number);
CREATE INDEX events_audit ON events (number) WHERE audit;
CREATE INDEX events_age ON events (created_at) WHERE NOT audit;

-- What people are to be told by email, until it is sent.
CREATE TABLE mails (
	id         TEXT   PRIMARY KEY,
	event      BIGINT NOT NULL,
	user_id    TEXT   NOT NULL REFERENCES users (id),
	tries      BIGINT NOT NULL,
	due_at     BIGINT NOT NULL, -- put off while somebody sends it
	created_at BIGINT NOT NULL
);
CREATE INDEX mails_due ON mails (due_at);

-- +goose Down

DROP TABLE mails;
DROP TABLE events;
DROP TABLE revisions;
DROP TABLE jobs;
DROP TABLE stores;
DROP TABLE clusters;
DROP TABLE idempotency_keys;
DROP TABLE api_tokens;
DROP TABLE invitation_mails;
DROP TABLE invitations;
DROP TABLE memberships;
DROP TABLE teams;
DROP TABLE plans;
DROP TABLE login_links;
DROP TABLE sessions;
DROP TABLE used_states;
DROP TABLE identities;
DROP TABLE users;
DROP TABLE counters;
