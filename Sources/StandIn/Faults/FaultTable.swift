import RequestSigning
import Text

/// The faults that are armed, each for the first calls of one action: never by chance.
struct FaultTable: Sendable {
    private(set) var armed: [ArmedFault] = []
    private var latest = 0

    /// Arms a fault behind those that the action has already.
    mutating func arm(_ fault: Fault, for action: String, of api: CloudAPI, calls: Int) -> ArmedFault {
        latest += 1
        let new = ArmedFault(number: latest, api: api, action: action, calls: calls, hits: 0, fault: fault)
        armed.append(new)
        return new
    }

    /// The fault that a call of `action` meets: the one that was armed first of those that are not spent.
    mutating func take(for action: String) -> Fault? {
        guard let index = armed.firstIndex(where: { !$0.isSpent && $0.action.isSame(as: action) }) else { return nil }
        armed[index].hits += 1
        return armed[index].fault
    }

    /// Disarms all, and forgets their hits.
    mutating func disarm() { armed = [] }
}

/// A fault with the calls that it is for.
public struct ArmedFault: Hashable, Sendable {
    /// The number under which it is listed; never given twice in a world.
    public let number: Int
    public let api: CloudAPI
    public let action: String
    /// How many calls it is for.
    public let calls: Int
    /// How many have met it.
    public internal(set) var hits: Int
    public let fault: Fault

    var isSpent: Bool { hits >= calls }
}
