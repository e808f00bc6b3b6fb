import StandInKeys
import FoundationEssentials
import HTTPServer
import Parameters
import ScriptedServers
import SessionKill
import Text

extension ControlPages {
    struct Nothing: Decodable, Sendable {}

    struct OfWorld: WorldRequest {
        var World: String?
    }

    struct Health: Encodable, Sendable {
        var Status = "ready"
        var Version: String
        var Worlds: Int
    }

    struct WorldList: Encodable, Sendable {
        struct Item: Encodable, Sendable {
            var World: String
            var Requests: Int
        }
        var Worlds: [Item]
    }

    struct Removal: Encodable, Sendable {
        var Removed: Int
    }

    struct Begun: Encodable, Sendable {
        var World: String
    }

    struct Snapshot: Encodable, Sendable {
        var World: String
        var Snapshot: String
    }

    struct RestoreRequest: Decodable, Sendable {
        var World: String?
        var Snapshot: String
    }

    static func pages(_ worlds: Worlds, version: String) -> [ControlPage] {
        [
            ControlPage("GET", "/health", Nothing.self) { _ in Health(Version: version, Worlds: worlds.all.count) },
            ControlPage("GET", "/worlds", Nothing.self) { _ in
                WorldList(
                    Worlds: worlds.all.map {
                        WorldList.Item(World: $0.name.description, Requests: $0.requests.count)
                    })
            },
            ControlPage("DELETE", "/worlds", OfWorld.self) { request in
                let names = request.World == nil ? worlds.all.map(\.name) : [try WorldName(control: request.World)]
                var count = 0
                for name in names where await worlds.remove(name) { count += 1 }
                return Removal(Removed: count)
            },
            ControlPage("POST", "/reset", OfWorld.self) { request in
                let world = try await worlds.replace(WorldName(control: request.World))
                return Begun(World: world.name.description)
            },
            ControlPage("POST", "/seed", OfWorld.self, besides: "Seed") { request, seed in
                let name = try WorldName(control: request.World)
                let beginning: World.Beginning
                do throws(SeedError) {
                    beginning = World.Beginning(try Seed(seed))
                } catch {
                    throw ControlError(.badRequest, "Seed: \(error)")
                }
                return Begun(World: try await worlds.replace(name, by: beginning).name.description)
            },
            ControlPage("GET", "/snapshot", OfWorld.self, in: worlds) { _, world in
                Snapshot(World: world.name.description, Snapshot: try await WorldSnapshot(of: world).text())
            },
            ControlPage("POST", "/restore", RestoreRequest.self) { request in
                let name = try WorldName(control: request.World)
                let snapshot: WorldSnapshot
                do throws(WorldSnapshot.Refusal) {
                    snapshot = try WorldSnapshot(text: request.Snapshot)
                } catch {
                    throw ControlError(.badRequest, "Snapshot: \(error)")
                }
                do throws(WorldError) {
                    return Begun(World: try await worlds.replace(name, by: snapshot.beginning).name.description)
                } catch {
                    throw ControlError(.badRequest, "Snapshot: \(error)")
                }
            },
        ] + ofTime(worlds) + ofFaults(worlds) + ofObservations(worlds)
    }
}

extension WorldName {
    /// - Throws: ``ControlError`` for what is no name of a world.
    init(control text: String?) throws(ControlError) {
        guard let name = text.map({ WorldName($0) }) ?? .default else {
            throw ControlError(
                .badRequest, "World: expected 1 to 64 of A-Z, a-z, 0-9, _ and -, found \(text ?? "nothing")")
        }
        self = name
    }
}
