-- Reasons as codes in place of sentences, and plans whose task could not go on as what they are. The tables are made
-- anew, since SQLite cannot change a constraint (sqlite.org/lang_altertable.html, section 7).

-- What earlier killds wrote as the reason of a failure. Other texts than these are a server's error, which begins with
-- its number, or are kept as they stand.
CREATE TEMPORARY TABLE sentences (
    outcome TEXT NOT NULL, sentence TEXT PRIMARY KEY, reason TEXT NOT NULL);
INSERT INTO sentences VALUES
    ('failed', 'KILL was accepted, but the server still lists the session', 'outlived-kill'),
    ('failed', 'KILL was accepted, but the server lists the session until a replica acknowledges its '
        || 'change, which is committed and stays', 'outlived-kill-committed'),
    ('failed', '1094: the server lists the session, but answered its KILL that there is none', 'unkillable'),
    ('failed', 'this Commit sent no KILL: of the lists that guard a KILL none showed the session with the '
        || 'user and host that it had a moment before', 'not-found-by-guard'),
    ('failed', 'the connection broke before KILL was sent', 'connection-broke'),
    ('failed', 'the plan expired before KILL was sent', 'plan-expired'),
    ('failed', 'the task ended or was suspended before KILL was sent', 'task-revoked'),
    ('failed', 'it no longer matched the task''s conditions', 'no-longer-matched'),
    ('failed', 'the instance is not configured any more', 'instance-not-configured'),
    ('failed', 'the server of the instance is configured in another way now', 'another-server'),
    ('failed', 'the account that asked for it is not configured any more', 'account-not-configured'),
    ('failed', 'the account that asked for it may not do so on the instance any more', 'not-permitted'),
    ('failed', 'spared by the Commit that was interrupted', 'spared-by-interrupted-commit'),
    ('failed', 'the task was interrupted', 'task-interrupted'),
    ('failed', 'the server refused the login of the task', 'login-refused'),
    ('failed', 'no session of the proxy has this connection', 'unknown-connection'),
    ('failed', 'nothing would tell this session from another one', 'not-pinnable'),
    ('denied', 'no KILL was sent: the account that logged in may end its own sessions only', 'own-sessions-only');

CREATE TABLE new_plans (
    id INTEGER PRIMARY KEY,
    -- What approvers see. Knowing it does not let anybody commit.
    name TEXT NOT NULL UNIQUE,
    -- The ticket that Prepare answered: whoever has it may commit.
    sql_exec_id TEXT NOT NULL UNIQUE,
    -- SHA-256 over the name, the ticket and all that Prepare pinned, as computed when the plan was stored.
    digest TEXT NOT NULL CONSTRAINT digest_is_sha256
        CHECK (length(digest) = 64 AND digest NOT GLOB '*[^0-9a-f]*'),

    -- Who asked, and about which instance.
    account TEXT NOT NULL,
    instance TEXT NOT NULL,
    -- The kill task that made it; NULL if somebody asked for it, or for a session task.
    task INTEGER REFERENCES kill_tasks (id),
    prepared_at INTEGER NOT NULL,
    -- From this instant on a Commit is refused. That a plan has expired is not a state of its own.
    expires_at INTEGER NOT NULL,
    record_history INTEGER NOT NULL CONSTRAINT record_history_is_boolean CHECK (record_history IN (0, 1)),
    -- Which server process answered, as a JSON object.
    fingerprint TEXT NOT NULL CONSTRAINT fingerprint_is_json CHECK (json_valid(fingerprint)),
    -- What its end would free, as a JSON object; NULL without history.
    impact TEXT CONSTRAINT impact_is_json CHECK (impact IS NULL OR json_valid(impact)),

    -- prepared -> committing -> committed, stale or abandoned; a plan may also end without having been committing.
    state TEXT NOT NULL DEFAULT 'prepared' CONSTRAINT state_is_known CHECK (state IN (
        'prepared',
        'committing',  -- it is on record whom a Commit was about to kill
        'committed',
        'stale',       -- it no longer fitted its server, so that nothing was killed
        'abandoned'    -- its task could not go on; the outcomes tell what became of the sessions
    )),
    -- When a Commit recorded what it was about to kill. Kept after the end.
    committing_since INTEGER,
    ended_at INTEGER,
    stale_reason TEXT CONSTRAINT stale_reason_is_known
        CHECK (stale_reason IN ('another-server', 'server-restarted')),

    CONSTRAINT expires_after_preparation CHECK (expires_at >= prepared_at),
    CONSTRAINT prepared_was_never_committing CHECK (state <> 'prepared' OR committing_since IS NULL),
    CONSTRAINT committing_has_its_time CHECK (state <> 'committing' OR committing_since IS NOT NULL),
    CONSTRAINT ended_has_its_time CHECK ((state IN ('committed', 'stale', 'abandoned')) = (ended_at IS NOT NULL)),
    CONSTRAINT stale_has_its_reason CHECK ((state = 'stale') = (stale_reason IS NOT NULL))
) STRICT;

-- A Commit of a task that was taken up again killed nobody more: with such outcomes a task's plan was abandoned.
INSERT INTO new_plans
SELECT id, name, sql_exec_id, digest, account, instance, task, prepared_at, expires_at, record_history, fingerprint,
    impact,
    CASE
        WHEN state = 'committed' AND EXISTS (
            SELECT 1 FROM threads JOIN sentences ON sentence = outcome_detail
            WHERE plan = plans.id AND threads.outcome = 'failed' AND reason IN ('task-interrupted', 'login-refused')
        ) THEN 'abandoned'
        WHEN state = 'committed' AND (task IS NOT NULL OR name IN (SELECT plan FROM session_tasks))
            AND EXISTS (SELECT 1 FROM threads WHERE plan = plans.id AND outcome = 'ended') THEN 'abandoned'
        ELSE state
    END,
    committing_since, ended_at, stale_reason
FROM plans;

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
    details TEXT CONSTRAINT details_are_json CHECK (details IS NULL OR json_valid(details)),

    -- When it was recorded that KILL was about to be sent; NULL if that never came to be.
    intended_at INTEGER,
    -- By what it was told from all others when its KILL was sent; NULL where no KILL is known to have been accepted.
    kill_guard TEXT CONSTRAINT kill_guard_is_known CHECK (kill_guard IN (
        'thread-id',   -- looked up in the packet of the KILL, also by performance_schema's THREAD_ID
        'query-id',    -- looked up in the packet of the KILL, and by the number of its last command right before
        'list',        -- looked up in the packet of the KILL by id, user and host
        'list-before'  -- found by id, user and host in a list that was read right before
    )),
    -- What became of it, decided at Commit; NULL before.
    outcome TEXT CONSTRAINT outcome_is_known CHECK (outcome IN (
        'killed',        -- KILL was accepted and the session was seen to be gone
        'rolling-back',  -- it ended; detail: the rows that the server still had to undo
        'gone',          -- it had ended by itself before
        'replaced',      -- the id belonged to another session, which was left alone
        'protected',     -- never to be killed; detail: why
        'denied',        -- the server does not let it be killed
        'xa-prepared',   -- it is gone, its prepared XA transaction keeps its locks
        'xa-unknown',    -- it is gone; whether it left a prepared XA transaction cannot be known
        'already-committed',  -- it is gone; the change that it was waiting to have acknowledged stays
        'failed',        -- it was to end and did not, as far as is known
        'ended',         -- its intent was on record when a Commit was interrupted, and it is proven to be gone
        'unknown'        -- KILL may have been sent, and whether the session is gone cannot be seen
    )),
    -- Why, of 'denied' and 'failed'.
    outcome_reason TEXT CONSTRAINT outcome_reason_is_known CHECK (outcome_reason IN (
        'by-server',          -- denied; detail: the server's words
        'own-sessions-only',  -- denied to the account that logged in for it, so that no KILL was sent
        'untold',             -- denied in words that were not kept
        'refused',            -- failed; server_error and detail: the server's error
        'outlived-kill', 'outlived-kill-committed', 'unkillable', 'not-found-by-guard', 'connection-broke',
        'plan-expired', 'task-revoked', 'no-longer-matched', 'instance-not-configured', 'another-server',
        'account-not-configured', 'not-permitted', 'spared-by-interrupted-commit', 'task-interrupted',
        'login-refused', 'unknown-connection', 'not-pinnable',
        'worded'              -- failed; detail: a sentence of an earlier killd, which kept nothing else
    )),
    server_error INTEGER,
    outcome_detail TEXT,

    PRIMARY KEY (plan, position),
    UNIQUE (plan, thread_id),
    CONSTRAINT session_is_whole_or_absent CHECK (
        (user IS NULL) = (host IS NULL)
        AND (user IS NOT NULL
            OR (performance_schema_thread_id IS NULL AND client IS NULL AND details IS NULL))),
    CONSTRAINT guarded_only_after_intent CHECK (kill_guard IS NULL OR intended_at IS NOT NULL),
    CONSTRAINT killed_only_after_intent CHECK (outcome IS NOT 'killed' OR intended_at IS NOT NULL),
    CONSTRAINT ended_only_after_intent CHECK (outcome IS NOT 'ended' OR intended_at IS NOT NULL),
    CONSTRAINT committed_only_after_intent CHECK (outcome IS NOT 'already-committed' OR intended_at IS NOT NULL),
    CONSTRAINT reason_where_it_belongs CHECK (
        coalesce(outcome IN ('denied', 'failed'), 0) = (outcome_reason IS NOT NULL)),
    CONSTRAINT denied_for_a_reason_of_its_own CHECK (
        outcome_reason IS NULL
        OR (outcome = 'denied') = (outcome_reason IN ('by-server', 'own-sessions-only', 'untold'))),
    CONSTRAINT server_error_where_it_belongs CHECK (
        coalesce(outcome_reason = 'refused', 0) = (server_error IS NOT NULL)),
    CONSTRAINT detail_where_it_belongs CHECK (
        coalesce(outcome IN ('rolling-back', 'protected') OR outcome_reason IN ('by-server', 'refused', 'worded'), 0)
        = (outcome_detail IS NOT NULL)),
    CONSTRAINT rolling_back_tells_rows CHECK (
        outcome IS NOT 'rolling-back' OR (outcome_detail <> '' AND outcome_detail NOT GLOB '*[^0-9]*')),
    CONSTRAINT protected_tells_why CHECK (
        outcome IS NOT 'protected' OR outcome_detail IN (
            'own-connection', 'replication', 'system-thread', 'event-scheduler', 'protected-user'))
) STRICT;

INSERT INTO new_threads
SELECT plan, position, thread_id, user, host, performance_schema_thread_id, client, picture, intended_at, kill_guard,
    old.outcome,
    CASE
        WHEN reason IS NOT NULL THEN reason
        WHEN old.outcome = 'denied' THEN iif(outcome_detail IS NULL, 'untold', 'by-server')
        WHEN old.outcome = 'failed' THEN iif(number IS NULL, 'worded', 'refused')
    END,
    iif(reason IS NULL, number, NULL),
    CASE WHEN reason IS NULL THEN
        iif(number IS NULL, outcome_detail, substr(outcome_detail, instr(outcome_detail, ': ') + 2))
    END
FROM (
    -- A server's error: its number, a colon and its text.
    SELECT *, iif(
        outcome = 'failed' AND instr(outcome_detail, ': ') BETWEEN 2 AND 10
            AND substr(outcome_detail, 1, instr(outcome_detail, ': ') - 1) NOT GLOB '*[^0-9]*',
        CAST(outcome_detail AS INTEGER), NULL) AS number
    FROM threads
) AS old LEFT JOIN sentences ON sentences.outcome = old.outcome AND sentence = outcome_detail;

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
    outcome TEXT CONSTRAINT outcome_is_known CHECK (outcome IN (
        'killed', 'rolling-back', 'gone', 'replaced', 'protected', 'denied', 'xa-prepared', 'xa-unknown',
        'already-committed', 'failed', 'ended', 'unknown',
        'ignored-user',  -- its user is one of those whom the task ignores
        'login-refused'  -- the server refused the task's login, so that nothing was tried
    )),
    -- As in threads.
    outcome_reason TEXT CONSTRAINT outcome_reason_is_known CHECK (outcome_reason IN (
        'by-server', 'own-sessions-only', 'untold', 'refused', 'outlived-kill', 'outlived-kill-committed',
        'unkillable', 'not-found-by-guard', 'connection-broke', 'plan-expired', 'task-revoked', 'no-longer-matched',
        'instance-not-configured', 'another-server', 'account-not-configured', 'not-permitted',
        'spared-by-interrupted-commit', 'task-interrupted', 'login-refused', 'unknown-connection', 'not-pinnable',
        'worded'
    )),
    server_error INTEGER,
    outcome_detail TEXT,

    PRIMARY KEY (task, position),
    CONSTRAINT row_is_whole_or_absent CHECK (
        (user IS NULL) = (host IS NULL) AND (user IS NULL) = (command IS NULL) AND (user IS NULL) = (active IS NULL)
        AND (user IS NOT NULL OR coalesce(database, seconds, state, statement) IS NULL)),
    CONSTRAINT reason_where_it_belongs CHECK (
        coalesce(outcome IN ('denied', 'failed'), 0) = (outcome_reason IS NOT NULL)),
    CONSTRAINT denied_for_a_reason_of_its_own CHECK (
        outcome_reason IS NULL
        OR (outcome = 'denied') = (outcome_reason IN ('by-server', 'own-sessions-only', 'untold'))),
    CONSTRAINT server_error_where_it_belongs CHECK (
        coalesce(outcome_reason = 'refused', 0) = (server_error IS NOT NULL)),
    CONSTRAINT detail_where_it_belongs CHECK (
        coalesce(outcome IN ('rolling-back', 'protected') OR outcome_reason IN ('by-server', 'refused', 'worded'), 0)
        = (outcome_detail IS NOT NULL)),
    CONSTRAINT rolling_back_tells_rows CHECK (
        outcome IS NOT 'rolling-back' OR (outcome_detail <> '' AND outcome_detail NOT GLOB '*[^0-9]*')),
    CONSTRAINT protected_tells_why CHECK (
        outcome IS NOT 'protected' OR outcome_detail IN (
            'own-connection', 'replication', 'system-thread', 'event-scheduler', 'protected-user'))
) STRICT, WITHOUT ROWID;

INSERT INTO new_session_task_sessions
SELECT task, position, thread_id, user, host, database, command, seconds, state, statement, active,
    old.fate,
    CASE
        WHEN reason IS NOT NULL THEN reason
        WHEN old.fate = 'denied' THEN iif(fate_detail IS NULL, 'untold', 'by-server')
        WHEN old.fate = 'failed' THEN iif(number IS NULL, 'worded', 'refused')
    END,
    iif(reason IS NULL, number, NULL),
    CASE WHEN reason IS NULL THEN
        iif(number IS NULL, fate_detail, substr(fate_detail, instr(fate_detail, ': ') + 2))
    END
FROM (
    -- A server's error: its number, a colon and its text.
    SELECT *, iif(
        fate = 'failed' AND instr(fate_detail, ': ') BETWEEN 2 AND 10
            AND substr(fate_detail, 1, instr(fate_detail, ': ') - 1) NOT GLOB '*[^0-9]*',
        CAST(fate_detail AS INTEGER), NULL) AS number
    FROM session_task_sessions
) AS old LEFT JOIN sentences ON sentences.outcome = old.fate AND sentence = fate_detail;

DROP TABLE sentences;
DROP TABLE session_task_sessions;
ALTER TABLE new_session_task_sessions RENAME TO session_task_sessions;
DROP TABLE threads;
ALTER TABLE new_threads RENAME TO threads;
DROP TABLE plans;
ALTER TABLE new_plans RENAME TO plans;

-- For the retention: a plan's life is over when it has ended or expired, but never while it is committing.
CREATE INDEX plans_by_end_of_life ON plans (coalesce(ended_at, expires_at)) WHERE state <> 'committing';
-- For the history.
CREATE INDEX plans_by_instance ON plans (instance) WHERE record_history = 1;
-- For the reference to the task.
CREATE INDEX plans_by_task ON plans (task) WHERE task IS NOT NULL;
-- For the start of killd.
CREATE INDEX plans_that_are_committing ON plans (committing_since) WHERE state = 'committing';
