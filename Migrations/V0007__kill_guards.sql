-- By what each session was told from all others when its KILL was sent: a server that is sick may be unable to run the
-- stronger guards.

ALTER TABLE threads ADD COLUMN
    -- NULL where no KILL is known to have been accepted.
    kill_guard TEXT
        CONSTRAINT kill_guard_is_known CHECK (kill_guard IN (
            'thread-id',   -- looked up in the packet of the KILL, also by performance_schema's THREAD_ID
            'query-id',    -- looked up in the packet of the KILL, and by the number of its last command right before
            'list',        -- looked up in the packet of the KILL by id, user and host
            'list-before'  -- found by id, user and host in a list that was read right before
        ))
        CONSTRAINT guarded_only_after_intent CHECK (kill_guard IS NULL OR intended_at IS NOT NULL);
