import RequestSigning
import DBbrainAPI
import Foundation
import Parameters
import SQLiteStore
import SessionKill
import TestSupport
import XCTest

@testable import ActionDispatch
@testable import ContractFixtures
@testable import DASAPI
@testable import TencentCloudErrors

/// What killd serves, as its own tables have it.
struct ServedAPI {
    struct ServedAction: Hashable {
        let api: CloudAPI
        let name: String
        let version: String
        let parameters: [String]
        /// Whether it is one of the vendor's that killd answers with an error.
        let isUnserved: Bool
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static var fixturesFolder: String { root.appendingPathComponent("Sources/ContractFixtures/Fixtures").path }

    let actions: [ServedAction]
    /// Those of Tencent Cloud's that something in killd answers.
    let codes: [String]
    /// Those of DAS; `Missing*` and `Invalid*` stand for the parameters' own.
    let dasCodes: [String]
    let outcomes = Outcome.Kind.allCases.map(\.rawValue)

    static func read() async throws -> ServedAPI {
        let folder = try TestFolder()
        let store = try await SQLiteStore.open(path: folder.file("s.sqlite"), at: UnixTime(milliseconds: 0))
        let clock = KillEngine.Clock(now: { UnixTime(milliseconds: 0) }, sleep: { _ in })
        let engine = KillEngine(store: store, settings: .init(planLifetime: 600, killWait: .seconds(1)), clock: clock)
        let dbbrain = DBbrain(
            engine: engine, tasks: KillTaskRunner(engine: engine, store: store, clock: clock) { _ in }, instances: [],
            maximumThreads: 1_000)
        let das = DAS(
            tasks: SessionTaskRunner(engine: engine, store: store, clock: clock) { _ in },
            listings: SessionListings(now: clock.now) { _, _ in }, instances: [], maximumThreads: 1_000)
        let words = try parameterWords()
        var actions: [ServedAction] = []
        for action in dbbrain.actions {
            let isUnserved = knows("Zzz", action.bind)
            for version in action.versions.sorted(by: { $0.rawValue > $1.rawValue }) {
                actions.append(
                    ServedAction(
                        api: .dbbrain, name: action.name, version: version.rawValue,
                        parameters: isUnserved ? [] : words.filter { knows($0, action.bind) }, isUnserved: isUnserved))
            }
        }
        for action in das.actions {
            let parameters = words.filter { word in knows(word) { try action.bind($0) } }
            actions.append(
                ServedAction(
                    api: .das, name: type(of: action).name, version: "2020-01-16", parameters: parameters,
                    isUnserved: false))
        }
        return ServedAPI(actions: actions, codes: try codes(), dasCodes: try dasCodes())
    }

    /// Whether an action has a parameter: its decoder names those that it does not have before all else.
    private static func knows(_ name: String, _ bind: (ParameterTree) throws -> some Any) -> Bool {
        do {
            _ = try bind(.object([ParameterTree.Member(name: name, value: .null)]))
            return true
        } catch ParameterError.unknown {
            return false
        } catch {
            return true
        }
    }

    // MARK: Sources

    static func sources(below folder: String) throws -> [(path: String, text: String)] {
        let path = root.appendingPathComponent(folder).path
        return try FileManager.default.subpathsOfDirectory(atPath: path).filter { $0.hasSuffix(".swift") }.sorted()
            .map { ("\(folder)/\($0)", try String(contentsOfFile: "\(path)/\($0)", encoding: .utf8)) }
    }

    /// Every word that is the name of a property in the API's own spelling.
    private static func parameterWords() throws -> [String] {
        let texts = try (sources(below: "Sources/DBbrainAPI") + sources(below: "Sources/DASAPI")).map(\.text)
        let words = Set(texts.flatMap { $0.matches(of: /var ([A-Z][A-Za-z]*)\b/).map { String($0.1) } })
        XCTAssertGreaterThan(words.count, 50)
        return words.sorted()
    }

    /// The codes of the cases that something outside the table uses.
    private static func codes() throws -> [String] {
        let table = try sources(below: "Sources/TencentCloudErrors").map(\.text).joined()
        let users = try sources(below: "Sources").filter {
            !$0.path.hasPrefix("Sources/TencentCloudErrors") && !$0.path.hasPrefix("Sources/StandIn")
        }.map(\.text).joined()
        var names: Set<String> = []
        for match in table.matches(of: /case \.(\w+)(?:\([^)]*\))?:\s*(?:\/\/[^\n]*\n\s*)*Message\(\s*\.(\w+)/)
        where users.contains(".\(match.1)") { names.insert(String(match.2)) }
        let codes = ErrorCode.allCases.filter { names.contains("\($0)") }.map(\.rawValue)
        XCTAssertGreaterThan(codes.count, 20)
        return codes.sorted()
    }

    private static func dasCodes() throws -> [String] {
        let text = try String(
            contentsOfFile: root.appendingPathComponent("Sources/DASAPI/Dispatch/DASError.swift").path,
            encoding: .utf8)
        let codes = Set(
            text.matches(of: /\(?\.[a-zA-Z]+, "([A-Z][A-Za-z.]+)(\\\(parameter\))?"/).map {
                String($0.1) + ($0.2 == nil ? "" : "*")
            })
        XCTAssertGreaterThan(codes.count, 15)
        return codes.sorted()
    }
}
