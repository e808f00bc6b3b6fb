/// Who waits for a connection, in the order of arrival.
struct WaitingQueue {
    typealias Ticket = Int

    private var waiting: [(ticket: Ticket, continuation: CheckedContinuation<Void, any Error>)] = []
    private var lastTicket = 0

    mutating func ticket() -> Ticket {
        lastTicket += 1
        return lastTicket
    }

    mutating func wait(_ ticket: Ticket, _ continuation: CheckedContinuation<Void, any Error>) {
        waiting.append((ticket, continuation))
    }

    mutating func wakeFirst() {
        if !waiting.isEmpty { waiting.removeFirst().continuation.resume() }
    }

    /// Does nothing for one that does not wait any more.
    mutating func fail(_ ticket: Ticket, _ error: any Error) {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return }
        waiting.remove(at: index).continuation.resume(throwing: error)
    }

    mutating func failAll(_ error: any Error) {
        for (_, continuation) in waiting { continuation.resume(throwing: error) }
        waiting = []
    }
}
