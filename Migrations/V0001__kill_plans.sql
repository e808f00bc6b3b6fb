-- killd's store: kill plans, the intents recorded before any KILL was sent, and the outcomes.
--
-- Every time is in milliseconds since 1970-01-01 00:00:00 UTC. To read one:
--   SELECT name, state, datetime(prepared_at / 1000, 'unixepoch') FROM plans;
-- Which of these files have been applied to a store is recorded in its table "migrations".

CREATE TABLE plans (
    id INTEGER PRIMARY KEY,
    -- What approvers see. Knowing it does not let anybody commit.
    name TEXT NOT NULL UNIQUE,
    -- The ticket that Prepare answered: whoever has it may commit.
    sql_exec_id TEXT NOT NULL UNIQUE,
    -- SHA-256 over the name and all that Prepare pinned, as computed when the plan was stored.
    digest TEXT NOT NULL CONSTRAINT digest_is_sha256
        CHECK (length(digest) = 64 AND digest NOT GLOB '*[^0-9a-f]*'),

    -- Who asked, and about which instance.
    account TEXT NOT NULL,
    instance TEXT NOT NULL,
    prepared_at INTEGER NOT NULL,
    -- From this instant on a Commit is refused. That a plan has expired is not a state of its own.
    expires_at INTEGER NOT NULL,
    record_history INTEGER NOT NULL CONSTRAINT record_history_is_boolean CHECK (record_history IN (0, 1)),
    -- Which server process answered, as a JSON object.
    fingerprint TEXT NOT NULL CONSTRAINT fingerprint_is_json CHECK (json_valid(fingerprint)),

    -- prepared -> committing -> committed or stale; a plan may also end without having been committing.
    state TEXT NOT NULL DEFAULT 'prepared' CONSTRAINT state_is_known
        CHECK (state IN ('prepared', 'committing', 'committed', 'stale')),
    -- When a Commit recorded what it was about to kill. Kept after the end.
    committing_since INTEGER,
    ended_at INTEGER,
    -- Why the plan no longer fitted its server, so that nothing was killed.
    stale_reason TEXT CONSTRAINT stale_reason_is_known
        CHECK (stale_reason IN ('another-server', 'server-restarted')),

    CONSTRAINT expires_after_preparation CHECK (expires_at >= prepared_at),
    CONSTRAINT prepared_was_never_committing CHECK (state <> 'prepared' OR committing_since IS NULL),
    CONSTRAINT committing_has_its_time CHECK (state <> 'committing' OR committing_since IS NOT NULL),
    CONSTRAINT ended_has_its_time CHECK ((state IN ('committed', 'stale')) = (ended_at IS NOT NULL)),
    CONSTRAINT stale_has_its_reason CHECK ((state = 'stale') = (stale_reason IS NOT NULL))
) STRICT;

-- For the retention: a plan's life is over when it has ended or expired, but never while it is committing.
CREATE INDEX plans_by_end_of_life ON plans (coalesce(ended_at, expires_at)) WHERE state <> 'committing';

CREATE TABLE threads (
    plan INTEGER NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    -- The place in the request, from 0.
    position INTEGER NOT NULL CONSTRAINT position_is_not_negative CHECK (position >= 0),
    -- MySQL cuts a larger argument of KILL to 32 bits and ends a stranger's session.
    thread_id INTEGER NOT NULL CONSTRAINT thread_id_is_32_bits CHECK (thread_id BETWEEN 1 AND 4294967295),

    -- The session that had the id at Prepare; all NULL if none had.
    user TEXT,
    host TEXT,
    -- THREAD_ID of performance_schema; NULL where the server does not tell. One of 2^63 or more shows as negative.
    performance_schema_thread_id INTEGER,
    -- What it was doing, as a JSON object.
    picture TEXT CONSTRAINT picture_is_json CHECK (picture IS NULL OR json_valid(picture)),

    -- When it was recorded that KILL was about to be sent; NULL if that never came to be.
    intended_at INTEGER,
    -- What became of it, decided at Commit; NULL before.
    outcome TEXT CONSTRAINT outcome_is_known CHECK (outcome IN (
        'killed',        -- KILL was accepted and the session was seen to be gone
        'rolling-back',  -- it ended; detail: the rows that the server still had to undo
        'gone',          -- it had ended by itself before
        'replaced',      -- the id belonged to another session, which was left alone
        'protected',     -- never to be killed; detail: why
        'denied',        -- killd's account may not kill it
        'xa-prepared',   -- it is gone, its prepared XA transaction keeps its locks
        'failed',        -- detail: the server's error, or why no KILL was sent
        'unknown'        -- KILL may have been sent, its answer was lost
    )),
    outcome_detail TEXT,

    PRIMARY KEY (plan, position),
    UNIQUE (plan, thread_id),
    CONSTRAINT session_is_whole_or_absent CHECK (
        (user IS NULL) = (host IS NULL) AND (user IS NULL) = (picture IS NULL)
        AND (user IS NOT NULL OR performance_schema_thread_id IS NULL)),
    CONSTRAINT killed_only_after_intent CHECK (outcome IS NOT 'killed' OR intended_at IS NOT NULL),
    CONSTRAINT detail_where_it_belongs CHECK (
        coalesce(outcome IN ('rolling-back', 'protected', 'failed'), 0) = (outcome_detail IS NOT NULL)),
    CONSTRAINT rolling_back_tells_rows CHECK (
        outcome IS NOT 'rolling-back' OR (outcome_detail <> '' AND outcome_detail NOT GLOB '*[^0-9]*')),
    CONSTRAINT protected_tells_why CHECK (
        outcome IS NOT 'protected' OR outcome_detail IN (
            'own-connection', 'replication', 'system-thread', 'event-scheduler', 'protected-user'))
) STRICT;
