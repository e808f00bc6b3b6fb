import FoundationEssentials
import SQLiteStore
import ScriptedServers
import SessionKill
import Text

/// A world at a moment, kept outside of the stand-in.
///
/// What it was doing is not in it: a world that begins so takes up an interrupted Commit as a killd does that was
/// restarted.
struct WorldSnapshot: Sendable {
    let beginning: World.Beginning

    /// Changed with every change of what is kept.
    private static let version = 1
    private static let marker = "killd-standin-snapshot:"

    init(of world: World) async throws {
        var servers: [String: ScriptedServerState] = [:]
        for (name, server) in world.servers { servers[name] = await server.state }
        beginning = World.Beginning(
            world.seed, servers: servers, store: try await world.store.serialized(), time: world.clock.now,
            isStopped: world.clock.isStopped)
    }

    /// Why a text is no snapshot.
    enum Refusal: Error, Hashable, CustomStringConvertible {
        case notASnapshot
        case otherVersion(String)
        case damaged

        var description: String {
            switch self {
            case .notASnapshot: "expected the text that GET /snapshot answered"
            case .otherVersion(let version):
                "it is of version \(version), this stand-in reads version \(WorldSnapshot.version); take it anew"
            case .damaged: "it is damaged; take it anew"
            }
        }
    }

    /// What is kept, as JSON in base 64 behind the version.
    private struct Content: Codable {
        var seed: Seed
        var servers: [String: ScriptedServerState]
        var store: Data?
        var milliseconds: Int64?
        var isStopped: Bool
    }

    func text() throws -> String {
        let content = Content(
            seed: beginning.seed, servers: beginning.servers, store: beginning.store.map { Data($0) },
            milliseconds: beginning.time?.milliseconds, isStopped: beginning.isStopped)
        return Self.marker + "\(Self.version):" + (try JSONEncoder().encode(content)).base64EncodedString()
    }

    init(text: String) throws(Refusal) {
        guard text.utf8.starts(with: Self.marker.utf8) else { throw .notASnapshot }
        let rest = text.utf8.dropFirst(Self.marker.utf8.count)
        let version = rest.prefix { $0 != UInt8(ascii: ":") }
        guard version.elementsEqual("\(Self.version)".utf8) else {
            throw .otherVersion(String(Substring(version)).beginning(bytes: 20))
        }
        guard let data = Data(base64Encoded: Data(rest.dropFirst(version.count + 1))),
            let content = try? JSONDecoder().decode(Content.self, from: data)
        else { throw .damaged }
        beginning = World.Beginning(
            content.seed, servers: content.servers, store: content.store.map { Array($0) },
            time: content.milliseconds.map { UnixTime(milliseconds: $0) }, isStopped: content.isStopped)
    }
}
