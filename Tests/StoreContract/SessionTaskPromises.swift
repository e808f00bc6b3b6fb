import SessionKill
import XCTest

extension StoreContract {
    static let sessionTaskPromises = [
        Promise("A session task ends once and has its sessions replaced") { store in
            let task = sessionTask()
            try await store.insert(task, sessions(nil))
            var stored = try await store.sessionTask(task.id)
            XCTAssertEqual(stored, StoredSessionTask(task: task, state: .running, sessions: sessions(nil)))
            let final = sessions(.decided(.killed))
            var hasEnded = try await store.end(task.id, as: .success, final, at: end)
            XCTAssertTrue(hasEnded)
            hasEnded = try await store.end(task.id, as: .error, [], at: commit)
            XCTAssertFalse(hasEnded)
            hasEnded = try await store.end(sessionTask(2).id, as: .error, [], at: commit)
            XCTAssertFalse(hasEnded)
            stored = try await store.sessionTask(task.id)
            XCTAssertEqual(stored, StoredSessionTask(task: task, state: .ended(.success, at: end), sessions: final))
        },

        Promise("A second session task of the same id is refused") { store in
            try await store.insert(sessionTask(), sessions(nil))
            try await assertRefused("a twin") { try await store.insert(sessionTask(), []) }
            let stored = try await store.sessionTask(sessionTask().id)
            XCTAssertEqual(stored?.sessions, sessions(nil))
        },

        Promise("Running session tasks are those that have not ended") { store in
            for number in 1...4 { try await store.insert(sessionTask(number), sessions(.ignoredUser)) }
            _ = try await store.end(sessionTask(2).id, as: .failure, [], at: end)
            let running = try await store.runningSessionTasks()
            XCTAssertEqual(
                running,
                [1, 3, 4].map {
                    StoredSessionTask(task: sessionTask($0), state: .running, sessions: sessions(.ignoredUser))
                })
            let unknown = try await store.sessionTask(sessionTask(5).id)
            XCTAssertNil(unknown)
        },

        Promise("Of many ends of a session task at the same moment one is true") { store in
            try await store.insert(sessionTask(), sessions(nil))
            try await assertOneIsTrue { number in
                try await store.end(
                    sessionTask().id, as: number.isMultiple(of: 2) ? .success : .failure, sessions(.loginRefused),
                    at: end)
            }
            let running = try await store.runningSessionTasks()
            XCTAssertEqual(running, [])
        },

        Promise("A session task is read back with the rows of its sessions, in their order") { store in
            let row = SessionRow(
                user: "e\u{301}", host: "10.0.0.7:5", database: nil, command: "Query", seconds: -1, state: "executing",
                statement: .shown(text: "SELECT 1", length: 8), isActive: true)
            let sessions = [
                TaskedSession(id: thread(9), row: row, outcome: nil),
                TaskedSession(id: thread(2), row: nil, outcome: .ignoredUser),
                TaskedSession(id: thread(5), row: row, outcome: nil),
            ]
            let task = SessionTask(
                id: sessionTask().id, account: "ci",
                target: SessionTaskTarget(instance: instance, node: NodeID(rawValue: "pi-1")), plan: plan().name,
                createdAt: preparation)
            try await store.insert(task, sessions)
            let stored = try await store.sessionTask(task.id)
            XCTAssertEqual(stored, StoredSessionTask(task: task, state: .running, sessions: sessions))
        },

        Promise("A task may have nobody to end") { store in
            try await store.insert(sessionTask(), [])
            _ = try await store.end(sessionTask().id, as: .success, [], at: end)
            let stored = try await store.sessionTask(sessionTask().id)
            XCTAssertEqual(
                stored, StoredSessionTask(task: sessionTask(), state: .ended(.success, at: end), sessions: []))
        },
    ]
}
