import StandInKeys
import Synchronization

/// The worlds of a stand-in, each made when somebody first asks for it.
///
/// What is done to one world is done one after the other; the others go on. Whoever asks for a world that is being
/// replaced is given the old one until the new one is whole.
public final class Worlds: Sendable {
    /// The most worlds at a time, besides the default one.
    public static let most = 4_096

    /// Makes a world, as the stand-in began if there is no beginning.
    public typealias Maker = @Sendable (WorldName, World.Beginning?) async throws -> World

    private struct Place: Sendable {
        var world: World?
        /// The latest of the changes that are under way; each begins when the one before it is done.
        var change: (number: Int, task: Task<Result<World?, WorldError>, Never>)?
    }

    private struct State {
        var places: [WorldName: Place] = [:]
        var changes = 0
    }

    private let state = Mutex(State())
    private let most: Int
    private let make: Maker

    public convenience init(_ make: @escaping Maker) { self.init(most: Self.most, make) }

    init(most: Int, _ make: @escaping Maker) {
        self.most = most
        self.make = make
    }

    /// The world, if it was made.
    public func existing(_ name: WorldName) -> World? { state.withLock { $0.places[name]?.world } }

    /// Those that were made.
    public var all: [World] {
        state.withLock { $0.places.values.compactMap(\.world) }.sorted { $0.name.description < $1.name.description }
    }

    /// The world, which is made if it was not yet.
    public func world(_ name: WorldName) async throws(WorldError) -> World {
        if let world = existing(name) { return world }
        let made = try await change(name) { before, make in
            if let before { return before }
            return try await make(nil)
        }
        guard let made else { throw .notMade(name, cause: "it was removed at once") }
        return made
    }

    /// Puts a new world in the place of the one that there is, if there is one.
    ///
    /// - Parameter beginning: nil for that of the world that there is, or of the stand-in.
    @discardableResult
    public func replace(_ name: WorldName, by beginning: World.Beginning? = nil) async throws(WorldError) -> World {
        let made = try await change(name) { before, make in
            try await make(beginning ?? before.map { World.Beginning($0.seed) })
        }
        guard let made else { throw .notMade(name, cause: "it was removed at once") }
        return made
    }

    /// Forgets a world: the next request makes it anew, as the stand-in began.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public func remove(_ name: WorldName) async -> Bool {
        let found = state.withLock { $0.places[name] != nil }
        guard found else { return false }
        _ = try? await change(name) { _, _ in nil }
        return true
    }

    private func change(
        _ name: WorldName,
        _ change:
            @escaping @Sendable (World?, @Sendable (World.Beginning?) async throws -> World) async throws -> World?
    ) async throws(WorldError) -> World? {
        let task = try state.withLock { state throws(WorldError) -> Task<Result<World?, WorldError>, Never> in
            if state.places[name] == nil, !name.isDefault {
                let others = state.places.count - (state.places[.default] == nil ? 0 : 1)
                guard others < most else { throw .tooMany(most) }
            }
            let earlier = state.places[name]?.change?.task
            state.changes += 1
            let number = state.changes
            let task = Task { [make] in
                _ = await earlier?.value
                let before = self.existing(name)
                let result: Result<World?, WorldError>
                do {
                    result = .success(try await change(before) { beginning in try await make(name, beginning) })
                } catch {
                    result = .failure(error as? WorldError ?? .notMade(name, cause: "\(error)"))
                }
                self.finish(number, name, result)
                if case .success(let after) = result, let before, after !== before { before.end() }
                return result
            }
            state.places[name, default: Place()].change = (number, task)
            return task
        }
        return try await task.value.get()
    }

    private func finish(_ number: Int, _ name: WorldName, _ result: Result<World?, WorldError>) {
        state.withLock { state in
            guard var place = state.places[name] else { return }
            if case .success(let world) = result { place.world = world }
            if place.change?.number == number { place.change = nil }
            state.places[name] = place.world == nil && place.change == nil ? nil : place
        }
    }
}

/// Why there is no such world.
public enum WorldError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooMany(Int)
    case notMade(WorldName, cause: String)

    public var description: String {
        switch self {
        case .tooMany(let most):
            """
            the stand-in has \(most) worlds already, which is the most; use fewer names behind \(StandInKey.prefix)-, or \
            remove worlds that are not needed any more
            """
        case .notMade(let name, let cause): "the world \(name) could not be made: \(cause)"
        }
    }
}
