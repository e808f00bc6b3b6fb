-- Kill tasks: rules by which killd ends sessions of an instance again and again for a time.

CREATE TABLE kill_tasks (
    id INTEGER PRIMARY KEY,
    -- What people see.
    name TEXT NOT NULL UNIQUE,
    -- Who created it, and for which instance.
    account TEXT NOT NULL,
    instance TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- From this instant on it kills nobody; NULL if it goes on until it is cancelled.
    ends_at INTEGER CONSTRAINT ends_after_creation CHECK (ends_at > created_at),

    -- The conditions, all of which must hold for a session; NULL where there is none. An empty one must not be taken
    -- for none: without any, the task ends every session.
    host TEXT CONSTRAINT host_is_not_empty CHECK (host <> ''),
    user TEXT CONSTRAINT user_is_not_empty CHECK (user <> ''),
    -- JSON arrays, of whose texts one must hold.
    databases TEXT CONSTRAINT databases_are_not_empty
        CHECK (json_type(databases) = 'array' AND json_array_length(databases) > 0),
    commands TEXT CONSTRAINT commands_are_not_empty
        CHECK (json_type(commands) = 'array' AND json_array_length(commands) > 0),
    -- Seconds in the present state.
    longer_than INTEGER CONSTRAINT longer_than_is_not_negative CHECK (longer_than >= 0),
    statement_prefix TEXT CONSTRAINT statement_prefix_is_not_empty CHECK (statement_prefix <> ''),
    -- A JSON array, all of whose texts must occur in the statement.
    statement_keywords TEXT CONSTRAINT statement_keywords_are_not_empty
        CHECK (json_type(statement_keywords) = 'array' AND json_array_length(statement_keywords) > 0),

    state TEXT NOT NULL DEFAULT 'running' CONSTRAINT state_is_known
        CHECK (state IN ('running', 'expired', 'cancelled')),
    ended_at INTEGER,
    -- The name of an account.
    cancelled_by TEXT,
    -- How many sessions its plans have ended; counted here because old plans are deleted.
    killed_sessions INTEGER NOT NULL DEFAULT 0 CONSTRAINT killed_sessions_is_a_count CHECK (killed_sessions >= 0),

    CONSTRAINT ended_has_its_time CHECK ((state <> 'running') = (ended_at IS NOT NULL)),
    CONSTRAINT cancelled_has_its_account CHECK ((state = 'cancelled') = (cancelled_by IS NOT NULL)),
    CONSTRAINT expired_had_an_end CHECK (state <> 'expired' OR ends_at IS NOT NULL),
    CONSTRAINT one_condition_on_the_statement CHECK (statement_prefix IS NULL OR statement_keywords IS NULL)
) STRICT;

-- Whatever goes wrong: never two running tasks on one instance.
CREATE UNIQUE INDEX one_running_task_per_instance ON kill_tasks (instance) WHERE state = 'running';

-- An instance's tasks, latest first: rows of one key are in the order of their ids.
CREATE INDEX kill_tasks_by_instance ON kill_tasks (instance);

-- For the retention.
CREATE INDEX kill_tasks_by_end ON kill_tasks (ended_at) WHERE ended_at IS NOT NULL;

-- The task that made the plan; NULL if somebody asked for it. A task is kept as long as one of its plans is.
ALTER TABLE plans ADD COLUMN task INTEGER REFERENCES kill_tasks (id);

CREATE INDEX plans_by_task ON plans (task) WHERE task IS NOT NULL;
