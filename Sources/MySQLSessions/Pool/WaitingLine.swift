/// Requests that wait, in the order in which they came.
struct WaitingLine: Sendable {
    typealias Machine = ConnectionPoolMachine

    struct Entry: Hashable, Sendable {
        let id: Machine.RequestID
        var purpose: Machine.Purpose
        let deadline: Machine.Instant
    }

    private(set) var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }

    /// How many are not probes.
    var workCount: Int { entries.count { $0.purpose != .probe } }

    /// Adds a request, where it was before if it has waited already.
    mutating func insert(_ entry: Entry) {
        entries.insert(entry, at: entries.firstIndex { $0.id > entry.id } ?? entries.endIndex)
    }

    mutating func removeFirst() -> Entry? { entries.isEmpty ? nil : entries.removeFirst() }

    mutating func remove(_ id: Machine.RequestID) -> Entry? {
        entries.firstIndex { $0.id == id }.map { entries.remove(at: $0) }
    }

    mutating func removeAll() -> [Entry] {
        defer { entries = [] }
        return entries
    }

    /// Removes those whose deadline has come, but for the first `count`.
    mutating func removeOverdue(at time: Machine.Instant, behind count: Int) -> [Entry] {
        let overdue = entries.dropFirst(count).filter { $0.deadline <= time }
        for entry in overdue { _ = remove(entry.id) }
        return overdue
    }

    mutating func removeProbes() -> [Entry] {
        let probes = entries.filter { $0.purpose == .probe }
        entries.removeAll { $0.purpose == .probe }
        return probes
    }

    /// Has the probes wait for a connection as work does.
    mutating func makeProbesWork() {
        for index in entries.indices where entries[index].purpose == .probe { entries[index].purpose = .work }
    }
}
