-- What approvers are shown and what they decided, and an audit of everything that changes. The table of plans is made
-- anew, since SQLite cannot change a constraint (sqlite.org/lang_altertable.html, section 7).

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
    -- Who acted through the account.
    person TEXT NOT NULL,
    -- For whom, as the account says, and why.
    requested_by TEXT,
    reason TEXT,
    instance TEXT NOT NULL,
    -- The kill task that made it; NULL if somebody asked for it, or for a session task.
    task INTEGER REFERENCES kill_tasks (id),
    prepared_at INTEGER NOT NULL,
    -- From this instant on a Commit is refused, if the plan needs no approvals.
    expires_at INTEGER NOT NULL,
    record_history INTEGER NOT NULL CONSTRAINT record_history_is_boolean CHECK (record_history IN (0, 1)),
    -- Which server process answered, as a JSON object.
    fingerprint TEXT NOT NULL CONSTRAINT fingerprint_is_json CHECK (json_valid(fingerprint)),
    -- What its end would free, as a JSON object; NULL without history.
    impact TEXT CONSTRAINT impact_is_json CHECK (impact IS NULL OR json_valid(impact)),

    -- What its approvers are shown beside its sessions, as a JSON object: why it has its grade, and who waits for whom.
    -- NULL in plans of tasks, and of a killd that did not know of approvals.
    review TEXT CONSTRAINT review_is_json CHECK (review IS NULL OR json_valid(review)),
    -- NULL where nobody could tell.
    risk_grade TEXT CONSTRAINT risk_grade_is_known CHECK (risk_grade IN ('low', 'medium', 'high')),
    -- How many persons have to approve it.
    required INTEGER NOT NULL DEFAULT 0 CONSTRAINT required_is_a_count CHECK (required >= 0),
    approvable_until INTEGER,
    -- Seconds after the approval that completed the quorum, within which it can be committed.
    commit_within INTEGER CONSTRAINT commit_within_is_not_negative CHECK (commit_within >= 0),

    -- prepared -> rejected, cancelled or expired; prepared -> committing -> committed; stale and abandoned also without
    -- having been committing. That a prepared plan is approved, or has expired and nobody noticed yet, follows from its
    -- approvals and the time.
    state TEXT NOT NULL DEFAULT 'prepared' CONSTRAINT state_is_known CHECK (state IN (
        'prepared',
        'rejected',    -- by somebody who might have approved it
        'cancelled',   -- by its preparer
        'expired',     -- it was too late when somebody wanted to commit it, or when killd looked
        'committing',  -- it is on record whom a Commit was about to kill
        'committed',
        'stale',       -- it no longer fitted what it was made for, so that nothing was killed
        'abandoned'    -- its task could not go on; the outcomes tell what became of the sessions
    )),
    -- When a Commit recorded what it was about to kill. Kept after the end.
    committing_since INTEGER,
    ended_at INTEGER,
    stale_reason TEXT CONSTRAINT stale_reason_is_known
        CHECK (stale_reason IN ('another-server', 'server-restarted', 'risk-rose')),

    CONSTRAINT expires_after_preparation CHECK (expires_at >= prepared_at),
    CONSTRAINT review_is_whole_or_absent CHECK (
        (review IS NULL) = (approvable_until IS NULL) AND (review IS NULL) = (commit_within IS NULL)
        AND (review IS NOT NULL OR (risk_grade IS NULL AND required = 0))),
    CONSTRAINT uncommitted_was_never_committing CHECK (
        state NOT IN ('prepared', 'rejected', 'cancelled', 'expired') OR committing_since IS NULL),
    CONSTRAINT committing_has_its_time CHECK (
        state NOT IN ('committing', 'committed') OR committing_since IS NOT NULL),
    CONSTRAINT ended_has_its_time CHECK ((state NOT IN ('prepared', 'committing')) = (ended_at IS NOT NULL)),
    CONSTRAINT stale_has_its_reason CHECK ((state = 'stale') = (stale_reason IS NOT NULL))
) STRICT;

-- Earlier killds knew accounts only, and claimed no plan that had nobody left to kill.
INSERT INTO new_plans (id, name, sql_exec_id, digest, account, person, instance, task, prepared_at, expires_at,
    record_history, fingerprint, impact, state, committing_since, ended_at, stale_reason)
SELECT id, name, sql_exec_id, digest, account, account, instance, task, prepared_at, expires_at, record_history,
    fingerprint, impact, state, iif(state = 'committed', coalesce(committing_since, ended_at), committing_since),
    ended_at, stale_reason
FROM plans;
DROP TABLE plans;
ALTER TABLE new_plans RENAME TO plans;

-- For the retention: a plan's life is over when it has ended or expired, but never while it is committing.
CREATE INDEX plans_by_end_of_life ON plans (coalesce(ended_at, expires_at)) WHERE state <> 'committing';
-- For the lists.
CREATE INDEX plans_by_instance ON plans (instance) WHERE record_history = 1;
CREATE INDEX plans_by_state ON plans (instance, state) WHERE record_history = 1;
-- For the reference to the task.
CREATE INDEX plans_by_task ON plans (task) WHERE task IS NOT NULL;
-- For the start of killd.
CREATE INDEX plans_that_are_committing ON plans (committing_since) WHERE state = 'committing';
-- For those that expire.
CREATE INDEX plans_that_are_prepared ON plans (id) WHERE state = 'prepared';

-- Who approved, rejected, cancelled or reviewed a plan, or committed it without the approvals that it needed.
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    plan INTEGER NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CONSTRAINT kind_is_known
        CHECK (kind IN ('approved', 'rejected', 'cancelled', 'broke-glass', 'reviewed')),
    account TEXT NOT NULL,
    -- Who acted through the account. Four eyes are between persons.
    person TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- Where the request came from, and the RequestId of its response; NULL for what killd does by itself.
    address TEXT,
    request_id TEXT,
    -- In the words of whoever decided.
    comment TEXT,
    -- Of the plan, as the request said it.
    digest TEXT CONSTRAINT digest_is_sha256 CHECK (length(digest) = 64 AND digest NOT GLOB '*[^0-9a-f]*'),
    -- The request as it came, with all that its signature covers: who can write this file but does not know the
    -- account's key cannot make one. It holds no secret.
    request TEXT,
    -- The audit's entry of it.
    entry INTEGER NOT NULL,

    UNIQUE (plan, kind, person),
    CONSTRAINT request_is_whole_or_absent CHECK ((address IS NULL) = (request_id IS NULL))
) STRICT;

-- For those that nobody has looked at.
CREATE INDEX decisions_that_broke_glass ON decisions (plan) WHERE kind = 'broke-glass';

-- Every change of a plan or a task and of who may make one, in the transaction of the change. Entries are never changed
-- and never deleted.
CREATE TABLE audit_entries (
    -- From 1, without gaps.
    seq INTEGER PRIMARY KEY,
    -- Never before the entry before.
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- The plan's name. No reference: the audit outlives plans.
    plan TEXT,
    -- One line of JSON, kept byte for byte as it was hashed; NULL once it is no longer kept.
    payload TEXT,
    payload_sha256 TEXT NOT NULL CONSTRAINT payload_sha256_is_sha256
        CHECK (length(payload_sha256) = 64 AND payload_sha256 NOT GLOB '*[^0-9a-f]*'),
    -- SHA-256 of "killd-audit-1", seq, the hash of the entry before (64 zeros before the first) and payload_sha256, each
    -- followed by a line feed: printf 'killd-audit-1\n%s\n%s\n%s\n' SEQ PREVIOUS PAYLOAD_SHA256 | sha256sum
    hash TEXT NOT NULL CONSTRAINT hash_is_sha256 CHECK (length(hash) = 64 AND hash NOT GLOB '*[^0-9a-f]*')
) STRICT;

CREATE INDEX audit_entries_by_plan ON audit_entries (plan) WHERE plan IS NOT NULL;

-- Against accidents: whoever has the file can drop these, but not mend the hashes outside of it.
CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries
BEGIN
    SELECT raise(ABORT, 'entries of the audit are never deleted');
END;
CREATE TRIGGER audit_entries_are_not_changed BEFORE UPDATE ON audit_entries
WHEN new.payload IS NOT NULL OR new.seq <> old.seq OR new.at <> old.at OR new.kind <> old.kind
    OR new.plan IS NOT old.plan OR new.payload_sha256 <> old.payload_sha256 OR new.hash <> old.hash
BEGIN
    SELECT raise(ABORT, 'entries of the audit are never changed');
END;

-- Who is to be told of entries, by the name of a configured target, and what is still to be told.
CREATE TABLE outbox_targets (target TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL REFERENCES outbox_targets (target) ON DELETE CASCADE,
    entry INTEGER NOT NULL REFERENCES audit_entries (seq),
    -- How often it was tried.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When it is to be tried next.
    due_at INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_by_target ON outbox (target, due_at);

-- A reason more why a KILL was not sent: approvals are asked for now.
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
        'account-not-configured', 'not-permitted', 'approvals-needed', 'spared-by-interrupted-commit',
        'task-interrupted',
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

INSERT INTO new_threads SELECT * FROM threads;
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
        'instance-not-configured', 'another-server', 'account-not-configured', 'not-permitted', 'approvals-needed',
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

INSERT INTO new_session_task_sessions SELECT * FROM session_task_sessions;
DROP TABLE session_task_sessions;
ALTER TABLE new_session_task_sessions RENAME TO session_task_sessions;
