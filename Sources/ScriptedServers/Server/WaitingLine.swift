/// Who may have a connection now, and who waits for one, in the order in which they came.
struct WaitingLine {
    /// As many as killd opens to a server.
    static let places = 4

    private var taken = 0
    private var lastNumber = 0
    private var waiting: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []

    /// - Returns: whether there was a place.
    mutating func enter() -> Bool {
        guard taken < Self.places else { return false }
        taken += 1
        return true
    }

    mutating func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }

    mutating func add(_ continuation: CheckedContinuation<Bool, Never>, _ number: Int) {
        waiting.append((number, continuation))
    }

    /// Gives a place back, to who waits first.
    mutating func leave() {
        guard waiting.isEmpty else {
            waiting.removeFirst().continuation.resume(returning: true)
            return
        }
        taken -= 1
    }

    /// Ends the wait of one, if he still waits.
    mutating func giveUp(_ number: Int) {
        guard let index = waiting.firstIndex(where: { $0.number == number }) else { return }
        waiting.remove(at: index).continuation.resume(returning: false)
    }
}
