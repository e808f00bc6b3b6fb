-- What a killd with migrations 1 to 7 wrote, of every outcome and every reason that it had.
PRAGMA application_id = 1802071140;
BEGIN TRANSACTION;
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
INSERT INTO "kill_tasks" VALUES(1,'task-7mq4u3byvqf3','ci','cdb-8jawylhf',1790000000000,NULL,NULL,'app',NULL,NULL,NULL,NULL,NULL,'running',NULL,NULL,1);
CREATE TABLE migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL, -- SHA-256 of the migration's text
    applied_at INTEGER NOT NULL -- milliseconds since 1970-01-01 00:00:00 UTC
) STRICT;
INSERT INTO "migrations" VALUES(1,'kill_plans','17cdb44d3e0f6812d5ce37ace5d5758939a62b18f758c717b9bbd16ae75476bf',1790000000000);
INSERT INTO "migrations" VALUES(2,'previews_and_history','3690527f7d22850d1040f745670138adbfcdc4e724b45b76ccee7670f14758a7',1790000000000);
INSERT INTO "migrations" VALUES(3,'kill_tasks','8802200d7100bdd1b3eb9ddfcc0dbc4bd558a7b2d6e6449ca5d830c32c1fc6c1',1790000000000);
INSERT INTO "migrations" VALUES(4,'session_tasks','170eefde8f85b104b731dd68dc3db20bb0bf5f190ffebc4f438915c567b2846d',1790000000000);
INSERT INTO "migrations" VALUES(5,'interrupted_commits','79a5ac55d09b74cd9ceb9411e0aa434c22e1c4b967ac3d503ea15620fb12ca44',1790000000000);
INSERT INTO "migrations" VALUES(6,'true_reports','229a151205a24fbe50b40a15e8f8eb0bde16e6a25a0a0c350fd15feb5fc36a6f',1790000000000);
INSERT INTO "migrations" VALUES(7,'kill_guards','2c7cbbb8b0bcc0384219b8009f509685a8c26e91edfeb102f078b6ab955d6738',1790000000000);
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
        CHECK (stale_reason IN ('another-server', 'server-restarted')), impact TEXT CONSTRAINT impact_is_json CHECK (impact IS NULL OR json_valid(impact)), task INTEGER REFERENCES kill_tasks (id),

    CONSTRAINT expires_after_preparation CHECK (expires_at >= prepared_at),
    CONSTRAINT prepared_was_never_committing CHECK (state <> 'prepared' OR committing_since IS NULL),
    CONSTRAINT committing_has_its_time CHECK (state <> 'committing' OR committing_since IS NOT NULL),
    CONSTRAINT ended_has_its_time CHECK ((state IN ('committed', 'stale')) = (ended_at IS NOT NULL)),
    CONSTRAINT stale_has_its_reason CHECK ((state = 'stale') = (stale_reason IS NOT NULL))
) STRICT;
INSERT INTO "plans" VALUES(1,'plan-1','ticket1','717c65b2d1c288f10044560f5187c3184885b1d7e0c81523a1b76a8195b13e85','ci','cdb-8jawylhf',1790000000000,1790000600000,1,'{"connectionCount":4711,"hostname":"db-1","port":3306,"serverID":1,"startedAt":1789000000,"uniqueID":"a1b2","version":"9.7.0"}','committed',1790000005000,1790000006000,NULL,'{"freedSessions":1,"unexplainedWaiters":0}',NULL);
INSERT INTO "plans" VALUES(2,'plan-2','ticket2','24f8d92bebda9066666bf8e68f1c7cdecb2fcff0231ed74d8370470f8eb8d568','ci','cdb-8jawylhf',1790000000000,1790000600000,1,'{"connectionCount":4711,"hostname":"db-1","port":3306,"serverID":1,"startedAt":1789000000,"uniqueID":"a1b2","version":"9.7.0"}','committed',1790000005000,1790000006000,NULL,'{"freedSessions":1,"unexplainedWaiters":0}',NULL);
INSERT INTO "plans" VALUES(3,'plan-3','ticket3','6e4c0a02de797c3f390a8a58d01b44e3bdfb173431a099f4f0f1480ce46cf70d','ci','cdb-8jawylhf',1790000000000,1790000600000,1,'{"connectionCount":4711,"hostname":"db-1","port":3306,"serverID":1,"startedAt":1789000000,"uniqueID":"a1b2","version":"9.7.0"}','committed',1790000005000,1790000006000,NULL,'{"freedSessions":1,"unexplainedWaiters":0}',NULL);
INSERT INTO "plans" VALUES(4,'plan-4','ticket4','a8bc04b19312cd4de659f2c3450b4b5154833ac30258a54bf056ee4b9d89af20','ci','cdb-8jawylhf',1790000000000,1790000600000,1,'{"connectionCount":4711,"hostname":"db-1","port":3306,"serverID":1,"startedAt":1789000000,"uniqueID":"a1b2","version":"9.7.0"}','committed',1790000005000,1790000006000,NULL,'{"freedSessions":1,"unexplainedWaiters":0}',1);
INSERT INTO "plans" VALUES(5,'plan-5','ticket5','d2987eb5a6760260a549595c7e7b400e124c605eee5ac3325ae113c99df7557f','ci','cdb-8jawylhf',1790000000000,1790000600000,1,'{"connectionCount":4711,"hostname":"db-1","port":3306,"serverID":1,"startedAt":1789000000,"uniqueID":"a1b2","version":"9.7.0"}','committed',1790000005000,1790000006000,NULL,'{"freedSessions":1,"unexplainedWaiters":0}',NULL);
INSERT INTO "plans" VALUES(6,'plan-6','ticket6','25b2eee91e6790ba5b0c24bd6358b258161c68e4f7973743fc4d5baa725451c3','ci','cdb-8jawylhf',1790000000000,1790000600000,1,'{"connectionCount":4711,"hostname":"db-1","port":3306,"serverID":1,"startedAt":1789000000,"uniqueID":"a1b2","version":"9.7.0"}','stale',1790000005000,1790000006000,'server-restarted','{"freedSessions":1,"unexplainedWaiters":0}',NULL);
INSERT INTO "plans" VALUES(7,'plan-7','ticket7','1a91b645a1b8b609ae22547518051588b186572f19058334927f69cd284d035a','ci','cdb-8jawylhf',1790000000000,1790000600000,1,'{"connectionCount":4711,"hostname":"db-1","port":3306,"serverID":1,"startedAt":1789000000,"uniqueID":"a1b2","version":"9.7.0"}','prepared',NULL,NULL,NULL,'{"freedSessions":1,"unexplainedWaiters":0}',NULL);
INSERT INTO "plans" VALUES(8,'plan-8','ticket8','798952674ecd6a8764c0a0801b3a449e2bcbf6f28a68a5c2bb75738e9a60e92d','ci','cdb-8jawylhf',1790000000000,1790000600000,1,'{"connectionCount":4711,"hostname":"db-1","port":3306,"serverID":1,"startedAt":1789000000,"uniqueID":"a1b2","version":"9.7.0"}','committing',1790000005000,NULL,NULL,'{"freedSessions":1,"unexplainedWaiters":0}',NULL);
CREATE TABLE "session_task_sessions" (
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
INSERT INTO "session_task_sessions" VALUES(1,0,101,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'ended',NULL);
INSERT INTO "session_task_sessions" VALUES(1,1,102,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','the task was interrupted');
INSERT INTO "session_task_sessions" VALUES(1,2,103,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'ignored-user',NULL);
INSERT INTO "session_task_sessions" VALUES(2,0,101,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'login-refused',NULL);
INSERT INTO "session_task_sessions" VALUES(3,0,101,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'killed',NULL);
INSERT INTO "session_task_sessions" VALUES(3,1,102,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'rolling-back','7');
INSERT INTO "session_task_sessions" VALUES(3,2,103,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'gone',NULL);
INSERT INTO "session_task_sessions" VALUES(3,3,104,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'replaced',NULL);
INSERT INTO "session_task_sessions" VALUES(3,4,105,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'protected','replication');
INSERT INTO "session_task_sessions" VALUES(3,5,106,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'denied',NULL);
INSERT INTO "session_task_sessions" VALUES(3,6,107,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'denied','You are not owner of thread 107');
INSERT INTO "session_task_sessions" VALUES(3,7,108,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'denied','no KILL was sent: the account that logged in may end its own sessions only');
INSERT INTO "session_task_sessions" VALUES(3,8,109,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'xa-prepared',NULL);
INSERT INTO "session_task_sessions" VALUES(3,9,110,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'xa-unknown',NULL);
INSERT INTO "session_task_sessions" VALUES(3,10,111,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'already-committed',NULL);
INSERT INTO "session_task_sessions" VALUES(3,11,112,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'unknown',NULL);
INSERT INTO "session_task_sessions" VALUES(3,12,113,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','KILL was accepted, but the server still lists the session');
INSERT INTO "session_task_sessions" VALUES(3,13,114,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','KILL was accepted, but the server lists the session until a replica acknowledges its change, which is committed and stays');
INSERT INTO "session_task_sessions" VALUES(3,14,115,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','1317: Query execution was interrupted');
INSERT INTO "session_task_sessions" VALUES(3,15,116,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','1094: the server lists the session, but answered its KILL that there is none');
INSERT INTO "session_task_sessions" VALUES(3,16,117,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','the connection broke before KILL was sent');
INSERT INTO "session_task_sessions" VALUES(3,17,118,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','the plan expired before KILL was sent');
INSERT INTO "session_task_sessions" VALUES(3,18,119,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','the task ended or was suspended before KILL was sent');
INSERT INTO "session_task_sessions" VALUES(3,19,120,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','it no longer matched the task''s conditions');
INSERT INTO "session_task_sessions" VALUES(3,20,121,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','the instance is not configured any more');
INSERT INTO "session_task_sessions" VALUES(3,21,122,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','the server of the instance is configured in another way now');
INSERT INTO "session_task_sessions" VALUES(3,22,123,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','the account that asked for it is not configured any more');
INSERT INTO "session_task_sessions" VALUES(3,23,124,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','the account that asked for it may not do so on the instance any more');
INSERT INTO "session_task_sessions" VALUES(3,24,125,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','spared by the Commit that was interrupted');
INSERT INTO "session_task_sessions" VALUES(3,25,126,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','no session of the proxy has this connection');
INSERT INTO "session_task_sessions" VALUES(3,26,127,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','nothing would tell this session from another one');
INSERT INTO "session_task_sessions" VALUES(3,27,128,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','this Commit sent no KILL: of the lists that guard a KILL none showed the session with the user and host that it had a moment before');
INSERT INTO "session_task_sessions" VALUES(3,28,129,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','something that nobody words like this');
INSERT INTO "session_task_sessions" VALUES(3,29,130,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'failed','1205');
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
INSERT INTO "session_tasks" VALUES(1,'22222222222222222222222222222222','ci','cdb-8jawylhf',NULL,'plan-2',1790000000000,'error',1790000007000);
INSERT INTO "session_tasks" VALUES(2,'33333333333333333333333333333333','ci','cdb-8jawylhf',NULL,'plan-3',1790000000000,'failure',1790000007000);
INSERT INTO "session_tasks" VALUES(3,'99999999999999999999999999999999','ci','cdb-8jawylhf',NULL,'plan-9',1790000000000,'error',1790000007000);
CREATE TABLE "threads" (
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
    outcome_detail TEXT, kill_guard TEXT
        CONSTRAINT kill_guard_is_known CHECK (kill_guard IN (
            'thread-id',   -- looked up in the packet of the KILL, also by performance_schema's THREAD_ID
            'query-id',    -- looked up in the packet of the KILL, and by the number of its last command right before
            'list',        -- looked up in the packet of the KILL by id, user and host
            'list-before'  -- found by id, user and host in a list that was read right before
        ))
        CONSTRAINT guarded_only_after_intent CHECK (kill_guard IS NULL OR intended_at IS NOT NULL),

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
INSERT INTO "threads" VALUES(1,0,101,'app','10.0.0.7:50000',900,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'killed',NULL,'list');
INSERT INTO "threads" VALUES(1,1,102,'app','10.0.0.7:50001',901,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'rolling-back','7',NULL);
INSERT INTO "threads" VALUES(1,2,103,'app','10.0.0.7:50002',902,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'gone',NULL,NULL);
INSERT INTO "threads" VALUES(1,3,104,'app','10.0.0.7:50003',903,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'replaced',NULL,NULL);
INSERT INTO "threads" VALUES(1,4,105,'app','10.0.0.7:50004',904,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'protected','replication',NULL);
INSERT INTO "threads" VALUES(1,5,106,'app','10.0.0.7:50005',905,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'denied',NULL,NULL);
INSERT INTO "threads" VALUES(1,6,107,'app','10.0.0.7:50006',906,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'denied','You are not owner of thread 107',NULL);
INSERT INTO "threads" VALUES(1,7,108,'app','10.0.0.7:50007',907,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'denied','no KILL was sent: the account that logged in may end its own sessions only',NULL);
INSERT INTO "threads" VALUES(1,8,109,'app','10.0.0.7:50008',908,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'xa-prepared',NULL,NULL);
INSERT INTO "threads" VALUES(1,9,110,'app','10.0.0.7:50009',909,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'xa-unknown',NULL,NULL);
INSERT INTO "threads" VALUES(1,10,111,'app','10.0.0.7:50010',910,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'already-committed',NULL,NULL);
INSERT INTO "threads" VALUES(1,11,112,'app','10.0.0.7:50011',911,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'unknown',NULL,NULL);
INSERT INTO "threads" VALUES(1,12,113,'app','10.0.0.7:50012',912,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','KILL was accepted, but the server still lists the session',NULL);
INSERT INTO "threads" VALUES(1,13,114,'app','10.0.0.7:50013',913,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','KILL was accepted, but the server lists the session until a replica acknowledges its change, which is committed and stays',NULL);
INSERT INTO "threads" VALUES(1,14,115,'app','10.0.0.7:50014',914,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','1317: Query execution was interrupted',NULL);
INSERT INTO "threads" VALUES(1,15,116,'app','10.0.0.7:50015',915,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','1094: the server lists the session, but answered its KILL that there is none',NULL);
INSERT INTO "threads" VALUES(1,16,117,'app','10.0.0.7:50016',916,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the connection broke before KILL was sent',NULL);
INSERT INTO "threads" VALUES(1,17,118,'app','10.0.0.7:50017',917,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the plan expired before KILL was sent',NULL);
INSERT INTO "threads" VALUES(1,18,119,'app','10.0.0.7:50018',918,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the task ended or was suspended before KILL was sent',NULL);
INSERT INTO "threads" VALUES(1,19,120,'app','10.0.0.7:50019',919,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','it no longer matched the task''s conditions',NULL);
INSERT INTO "threads" VALUES(1,20,121,'app','10.0.0.7:50020',920,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the instance is not configured any more',NULL);
INSERT INTO "threads" VALUES(1,21,122,'app','10.0.0.7:50021',921,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the server of the instance is configured in another way now',NULL);
INSERT INTO "threads" VALUES(1,22,123,'app','10.0.0.7:50022',922,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the account that asked for it is not configured any more',NULL);
INSERT INTO "threads" VALUES(1,23,124,'app','10.0.0.7:50023',923,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the account that asked for it may not do so on the instance any more',NULL);
INSERT INTO "threads" VALUES(1,24,125,'app','10.0.0.7:50024',924,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','spared by the Commit that was interrupted',NULL);
INSERT INTO "threads" VALUES(1,25,126,'app','10.0.0.7:50025',925,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','no session of the proxy has this connection',NULL);
INSERT INTO "threads" VALUES(1,26,127,'app','10.0.0.7:50026',926,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','nothing would tell this session from another one',NULL);
INSERT INTO "threads" VALUES(1,27,128,'app','10.0.0.7:50027',927,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','this Commit sent no KILL: of the lists that guard a KILL none showed the session with the user and host that it had a moment before',NULL);
INSERT INTO "threads" VALUES(1,28,129,'app','10.0.0.7:50028',928,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','something that nobody words like this',NULL);
INSERT INTO "threads" VALUES(1,29,130,'app','10.0.0.7:50029',929,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','1205',NULL);
INSERT INTO "threads" VALUES(2,0,101,'app','10.0.0.7:50000',900,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'ended',NULL,'list');
INSERT INTO "threads" VALUES(2,1,102,'app','10.0.0.7:50001',901,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the task was interrupted',NULL);
INSERT INTO "threads" VALUES(3,0,101,'app','10.0.0.7:50000',900,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','the server refused the login of the task','list');
INSERT INTO "threads" VALUES(4,0,101,'app','10.0.0.7:50000',900,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'ended',NULL,'list');
INSERT INTO "threads" VALUES(4,1,102,'app','10.0.0.7:50001',901,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'unknown',NULL,NULL);
INSERT INTO "threads" VALUES(5,0,101,'app','10.0.0.7:50000',900,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'ended',NULL,'list');
INSERT INTO "threads" VALUES(5,1,102,'app','10.0.0.7:50001',901,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'failed','spared by the Commit that was interrupted',NULL);
INSERT INTO "threads" VALUES(6,0,101,'app','10.0.0.7:50000',900,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,'ended',NULL,NULL);
INSERT INTO "threads" VALUES(7,0,101,'app','10.0.0.7:50000',900,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',NULL,NULL,NULL,NULL);
INSERT INTO "threads" VALUES(7,1,102,'app','10.0.0.7:50001',901,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',NULL,NULL,NULL,NULL);
INSERT INTO "threads" VALUES(8,0,101,'app','10.0.0.7:50000',900,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',1790000005000,NULL,NULL,NULL);
INSERT INTO "threads" VALUES(8,1,102,'app','10.0.0.7:50001',901,NULL,'{"command":"Query","database":"shop","freedSessions":0,"hasPreparedXA":false,"seconds":12,"state":"executing","statement":{"shown":{"length":17,"text":"SELECT SLEEP(100)"}},"wantedLocks":[]}',NULL,NULL,NULL,NULL);
CREATE INDEX plans_by_end_of_life ON plans (coalesce(ended_at, expires_at)) WHERE state <> 'committing';
CREATE INDEX plans_by_instance ON plans (instance) WHERE record_history = 1;
CREATE UNIQUE INDEX one_running_task_per_instance ON kill_tasks (instance) WHERE state = 'running';
CREATE INDEX kill_tasks_by_instance ON kill_tasks (instance);
CREATE INDEX kill_tasks_by_end ON kill_tasks (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX plans_by_task ON plans (task) WHERE task IS NOT NULL;
CREATE INDEX session_tasks_that_run ON session_tasks (id) WHERE state = 'running';
CREATE INDEX session_tasks_by_end ON session_tasks (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX plans_that_are_committing ON plans (committing_since) WHERE state = 'committing';
COMMIT;
