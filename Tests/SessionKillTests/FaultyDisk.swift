import SeededRandom
import CSQLite
import Foundation
import Synchronization

/// The disk beneath SQLite: fails at the call that a test chooses, and forgets
/// at a crash what was not synced.
///
/// A VFS around the default one (sqlite.org/vfs.html), and the default of this
/// process from ``mount()`` to ``unmount()``. The files are real, so that
/// whoever does not go through SQLite finds them too.
final class FaultyDisk: Sendable {
    /// What can fail.
    enum Call: String {
        case write, sync, truncate, open, delete, sharedMemoryMap, sharedMemoryLock

        /// Extended codes are macros that Swift cannot import (sqlite.org/rescode.html).
        fileprivate var error: Int32 {
            switch self {
            case .write: SQLITE_FULL
            case .sync: SQLITE_IOERR | 4 << 8
            case .truncate: SQLITE_IOERR | 6 << 8
            case .open: SQLITE_CANTOPEN
            case .delete: SQLITE_IOERR | 10 << 8
            case .sharedMemoryMap: SQLITE_IOERR | 21 << 8
            case .sharedMemoryLock: SQLITE_IOERR | 20 << 8
            }
        }
    }

    struct Fault: CustomStringConvertible {
        enum Mode: String, CaseIterable {
            /// The call fails, those after it do not.
            case once
            /// It and all after it fail, until ``repair()``.
            case fromThenOn
            /// Nothing works any more, until ``restart(keeping:)``.
            case crash
        }

        let mode: Mode
        /// Of the calls after ``arm(_:)``; the first is 1.
        let number: Int

        var description: String { "\(mode) at call \(number)" }
    }

    /// What is left of writes that no sync followed, or a failed one.
    enum Unsynced: String, CaseIterable {
        case nothing, something, everything
    }

    fileprivate enum Change {
        case write([UInt8], at: Int)
        case truncate(to: Int)
        case delete
    }

    private struct Content {
        /// `nil` while there is no such file.
        var synced: [UInt8]?
        /// - isLost: a sync of it failed. The kernel takes such pages for clean,
        ///   so that no later sync writes them.
        var changes: [(change: Change, isLost: Bool)] = []
    }

    private struct State {
        var fault: Fault?
        var callCount = 0
        /// The calls that failed.
        var failed: [Call] = []
        var isOff = false
        var contents: [String: Content] = [:]
    }

    private let state = Mutex(State())

    // MARK: What a test says

    func arm(_ fault: Fault) {
        state.withLock {
            $0.fault = fault
            $0.callCount = 0
            $0.failed = []
        }
    }

    /// No call fails any more.
    func repair() { state.withLock { $0.fault = nil } }

    /// The power goes off: nothing works until ``restart(keeping:seed:)``.
    func crash() { state.withLock { $0.isOff = true } }

    /// Gives the files the content that they have after a crash. Nobody may have them open.
    func restart(keeping unsynced: Unsynced, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for path in state.withLock({ Array($0.contents.keys) }) {
            let content = content(of: path, keeping: unsynced, using: &random)
            if let content {
                try Data(content).write(to: URL(fileURLWithPath: path))
            } else {
                unlink(path)
            }
            unlink(path + "-shm")
        }
        state.withLock { $0 = State() }
    }

    /// The first call that failed.
    var failedCall: Call? { state.withLock { $0.failed.first } }

    /// Puts a store as it would be after a crash now to another place.
    func copySynced(_ store: String, to copy: String) throws {
        var random = SplitMix64(seed: 0)
        for suffix in ["", "-wal"] {
            unlink(copy + suffix)
            guard let content = content(of: store + suffix, keeping: .nothing, using: &random) else { continue }
            try Data(content).write(to: URL(fileURLWithPath: copy + suffix))
        }
    }

    private func content(of path: String, keeping unsynced: Unsynced, using random: inout SplitMix64) -> [UInt8]? {
        guard var content = state.withLock({ $0.contents[path] }) else { return nil }
        for (change, _) in content.changes {
            switch unsynced {
            case .nothing: continue
            case .everything: change.apply(to: &content.synced)
            case .something:
                if let kept = change.torn(using: &random) { kept.apply(to: &content.synced) }
            }
        }
        return content.synced
    }

    // MARK: What the VFS tells

    /// - Returns: the error with which the call fails, or `nil`.
    func failure(of call: Call) -> Int32? {
        state.withLock { state in
            guard !state.isOff else { return call.error }
            guard let fault = state.fault else { return nil }
            state.callCount += 1
            guard fault.mode == .once ? state.callCount == fault.number : state.callCount >= fault.number else {
                return nil
            }
            state.failed.append(call)
            if fault.mode == .crash { state.isOff = true }
            return call.error
        }
    }

    var isOff: Bool { state.withLock(\.isOff) }

    func opened(_ path: String, hadContent content: [UInt8]?) {
        state.withLock { state in
            if state.contents[path] == nil { state.contents[path] = Content(synced: content) }
        }
    }

    private func changed(_ path: String, _ change: Change) {
        state.withLock { $0.contents[path]?.changes.append((change, isLost: false)) }
    }

    func wrote(_ bytes: [UInt8], at offset: Int, to path: String) {
        changed(path, .write(bytes, at: offset))
    }

    func truncated(_ path: String, to size: Int) { changed(path, .truncate(to: size)) }

    func deleted(_ path: String, isSynced: Bool) {
        changed(path, .delete)
        if isSynced { synced(path, successfully: true) }
    }

    func synced(_ path: String, successfully: Bool) {
        state.withLock { state in
            guard var content = state.contents.removeValue(forKey: path) else { return }
            if successfully {
                for (change, isLost) in content.changes where !isLost { change.apply(to: &content.synced) }
                content.changes.removeAll { !$0.isLost }
            } else {
                for index in content.changes.indices { content.changes[index].isLost = true }
            }
            state.contents[path] = content
        }
    }
}

extension FaultyDisk.Change {
    func apply(to content: inout [UInt8]?) {
        switch self {
        case .write(let bytes, let offset):
            var grown = content ?? []
            if grown.count < offset + bytes.count {
                grown += [UInt8](repeating: 0, count: offset + bytes.count - grown.count)
            }
            grown.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            content = grown
        case .truncate(let size): content = Array((content ?? []).prefix(size))
        case .delete: content = nil
        }
    }

    /// The whole, nothing, or of a write the sectors up to some point.
    func torn(using random: inout SplitMix64) -> Self? {
        switch (random.next() % 3, self) {
        case (0, _): return nil
        case (1, .write(let bytes, let offset)):
            let sectors = Int.random(in: 0...(bytes.count / 512), using: &random)
            return .write(Array(bytes.prefix(sectors * 512)), at: offset)
        default: return self
        }
    }
}
