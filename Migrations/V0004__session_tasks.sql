-- Session tasks: each ends chosen sessions of one server once, and is asked for its result for a day.

CREATE TABLE session_tasks (
    id INTEGER PRIMARY KEY,
    -- By which clients ask for it.
    task_id TEXT NOT NULL UNIQUE CONSTRAINT task_id_is_hexadecimal
        CHECK (length(task_id) = 32 AND task_id NOT GLOB '*[^0-9a-f]*'),
    -- Who created it, and where: nobody else is told of it.
    account TEXT NOT NULL,
    instance TEXT NOT NULL,
    -- The server of an instance that has several; NULL for the instance's own address.
    node TEXT CONSTRAINT node_is_not_empty CHECK (node <> ''),
    -- The name of the plan with those whom it is to end. No reference: plans are kept for another time.
    plan TEXT NOT NULL,
    created_at INTEGER NOT NULL,

    -- A database account's password is never here: who is logged in for a task lives in memory only.
    state TEXT NOT NULL DEFAULT 'running' CONSTRAINT state_is_known
        CHECK (state IN ('running', 'success', 'failure', 'error')),
    ended_at INTEGER,

    CONSTRAINT ended_has_its_time CHECK ((state <> 'running') = (ended_at IS NOT NULL))
) STRICT;

-- For the start of killd.
CREATE INDEX session_tasks_that_run ON session_tasks (id) WHERE state = 'running';

-- For the retention.
CREATE INDEX session_tasks_by_end ON session_tasks (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE session_task_sessions (
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
        'killed', 'rolling-back', 'gone', 'replaced', 'protected', 'denied', 'xa-prepared', 'failed', 'unknown',
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
        coalesce(fate IN ('rolling-back', 'protected', 'failed'), 0) = (fate_detail IS NOT NULL))
) STRICT, WITHOUT ROWID;
