-- Outcomes that tell more: what the server said when it denied a KILL, and of sessions that are gone, what they left
-- behind. Both tables are made anew, as in V0005.

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
        'denied',        -- the server does not let it be killed; detail: its words, NULL where they were not kept
        'xa-prepared',   -- it is gone, its prepared XA transaction keeps its locks
        'xa-unknown',    -- it is gone; whether it left a prepared XA transaction cannot be known
        'already-committed',  -- it is gone; the change that it was waiting to have acknowledged stays
        'failed',        -- detail: the server's error, or why no KILL was sent
        'ended',         -- its intent was on record when a Commit was interrupted, and it is proven to be gone
        'unknown'        -- KILL may have been sent, and whether the session is gone cannot be seen
    )),
    outcome_detail TEXT,

    PRIMARY KEY (plan, position),
    UNIQUE (plan, thread_id),
    CONSTRAINT session_is_whole_or_absent CHECK (
        (user IS NULL) = (host IS NULL)
        AND (user IS NOT NULL
            OR (performance_schema_thread_id IS NULL AND client IS NULL AND picture IS NULL))),
    CONSTRAINT killed_only_after_intent CHECK (outcome IS NOT 'killed' OR intended_at IS NOT NULL),
    CONSTRAINT ended_only_after_intent CHECK (outcome IS NOT 'ended' OR intended_at IS NOT NULL),
    CONSTRAINT committed_only_after_intent CHECK (outcome IS NOT 'already-committed' OR intended_at IS NOT NULL),
    CONSTRAINT detail_where_it_belongs CHECK (
        outcome IS 'denied'
        OR coalesce(outcome IN ('rolling-back', 'protected', 'failed'), 0) = (outcome_detail IS NOT NULL)),
    CONSTRAINT rolling_back_tells_rows CHECK (
        outcome IS NOT 'rolling-back' OR (outcome_detail <> '' AND outcome_detail NOT GLOB '*[^0-9]*')),
    CONSTRAINT protected_tells_why CHECK (
        outcome IS NOT 'protected' OR outcome_detail IN (
            'own-connection', 'replication', 'system-thread', 'event-scheduler', 'protected-user'))
) STRICT;

INSERT INTO new_threads
SELECT plan, position, thread_id, user, host, performance_schema_thread_id, client, picture, intended_at, outcome,
    outcome_detail
FROM threads;
DROP TABLE threads;
ALTER TABLE new_threads RENAME TO threads;

CREATE TABLE new_session_task_sessions (
    task INTEGER NOT NULL REFERENCES session_tasks (id) ON DELETE CASCADE,
    -- The place in the request, or among all by their ids, from 0.
    position INTEGER NOT NULL CONSTRAINT position_is_not_negative CHECK (position >= 0),
    thread_id INTEGER NOT NULL CONSTRAINT thread_id_is_32_bits CHECK (thread_id BETWEEN 1 AND 4294967295),

    -- The session's row in the server's list when the KILLs were sent, or when the task was created; all NULL if no
    -- session had the id.
    user TEXT,
    host TEXT,
    database TEXT,
    command TEXT,
    seconds INTEGER,
    state TEXT,
    -- A JSON object: the beginning of the statement, or its SHA-256.
    statement TEXT CONSTRAINT statement_is_json CHECK (statement IS NULL OR json_valid(statement)),
    -- Whether it ran a statement or was inside a transaction.
    active INTEGER CONSTRAINT active_is_boolean CHECK (active IN (0, 1)),

    -- What became of it: an outcome as in threads, or one of the two that only tasks have. NULL while the task runs.
    fate TEXT CONSTRAINT fate_is_known CHECK (fate IN (
        'killed', 'rolling-back', 'gone', 'replaced', 'protected', 'denied', 'xa-prepared', 'xa-unknown',
        'already-committed', 'failed', 'ended', 'unknown',
        'ignored-user',  -- its user is one of those whom the task ignores
        'login-refused'  -- the server refused the task's login, so that nothing was tried
    )),
    -- As outcome_detail in threads.
    fate_detail TEXT,

    PRIMARY KEY (task, position),
    CONSTRAINT row_is_whole_or_absent CHECK (
        (user IS NULL) = (host IS NULL) AND (user IS NULL) = (command IS NULL) AND (user IS NULL) = (active IS NULL)
        AND (user IS NOT NULL OR coalesce(database, seconds, state, statement) IS NULL)),
    CONSTRAINT detail_where_it_belongs CHECK (
        fate IS 'denied' OR coalesce(fate IN ('rolling-back', 'protected', 'failed'), 0) = (fate_detail IS NOT NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO new_session_task_sessions
SELECT task, position, thread_id, user, host, database, command, seconds, state, statement, active, fate, fate_detail
FROM session_task_sessions;
DROP TABLE session_task_sessions;
ALTER TABLE new_session_task_sessions RENAME TO session_task_sessions;
