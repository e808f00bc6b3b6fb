-- What a person is shown before agreeing to a plan, and the list of plans that were.

-- What the end of all the plan's sessions means for others, as a JSON object; NULL without history.
ALTER TABLE plans ADD COLUMN impact TEXT CONSTRAINT impact_is_json CHECK (impact IS NULL OR json_valid(impact));

-- An instance's recorded plans, latest first: rows of one key are in the order of their ids.
CREATE INDEX plans_by_instance ON plans (instance) WHERE record_history = 1;

-- The digest now binds more than it did. Who prepared a plan before has to prepare it again.
UPDATE plans SET expires_at = prepared_at WHERE state = 'prepared';

-- A plan without history has sessions without pictures: SQLite cannot change a constraint in place, so the table is
-- made anew (sqlite.org/lang_altertable.html, section 7).
CREATE TABLE new_threads (
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
    -- What the client told of itself, as a JSON object; NULL where the server does not tell.
    client TEXT CONSTRAINT client_is_json CHECK (client IS NULL OR json_valid(client)),
    -- What it was doing, as a JSON object; NULL without history.
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
        (user IS NULL) = (host IS NULL)
        AND (user IS NOT NULL
            OR (performance_schema_thread_id IS NULL AND client IS NULL AND picture IS NULL))),
    CONSTRAINT killed_only_after_intent CHECK (outcome IS NOT 'killed' OR intended_at IS NOT NULL),
    CONSTRAINT detail_where_it_belongs CHECK (
        coalesce(outcome IN ('rolling-back', 'protected', 'failed'), 0) = (outcome_detail IS NOT NULL)),
    CONSTRAINT rolling_back_tells_rows CHECK (
        outcome IS NOT 'rolling-back' OR (outcome_detail <> '' AND outcome_detail NOT GLOB '*[^0-9]*')),
    CONSTRAINT protected_tells_why CHECK (
        outcome IS NOT 'protected' OR outcome_detail IN (
            'own-connection', 'replication', 'system-thread', 'event-scheduler', 'protected-user'))
) STRICT;

-- Pictures had the whole statement as a text, and nothing of locks and prepared XA transactions.
INSERT INTO new_threads
SELECT plan, position, thread_id, user, host, performance_schema_thread_id, NULL,
    CASE WHEN picture IS NULL THEN NULL ELSE (
        SELECT json_patch(
            json_set(picture, '$.hasPreparedXA', json('false'), '$.wantedLocks', json('[]'), '$.freedSessions', 0),
            json_object(
                'statement', json(CASE WHEN json_extract(picture, '$.statement') IS NULL THEN NULL ELSE json_object(
                    'shown', json_object(
                        'text', json_extract(picture, '$.statement'),
                        'length', length(CAST(json_extract(picture, '$.statement') AS BLOB)))) END)))
    ) END,
    intended_at, outcome, outcome_detail
FROM threads;
DROP TABLE threads;
ALTER TABLE new_threads RENAME TO threads;
