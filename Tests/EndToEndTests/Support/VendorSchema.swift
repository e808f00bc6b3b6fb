import Foundation
import TestSupport
import XCTest

/// What the official command-line client's description of the API says of responses.
struct VendorSchema {
    private let objects: [String: [String: Any]]

    /// - Throws: `XCTSkip` without the official clients.
    init(version: String) async throws {
        try OfficialClients.require()
        let python = try XCTUnwrap(ProcessInfo.processInfo.environment["KILLD_PYTHON"])
        let module = "v" + version.filter { $0 != "-" }
        let program = "import tccli, os; print(os.path.dirname(tccli.__file__))"
        let client = try await FinishedProgram.run(python, ["-c", program])
        let folder = client.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let file = URL(fileURLWithPath: "\(folder)/services/dbbrain/\(module)/api.json")
        let api = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        objects = try XCTUnwrap(api?["objects"] as? [String: [String: Any]])
    }

    /// Checks that a response has all fields that the vendor's always have, none that the vendor's have not, and each of
    /// the right type: strict SDKs refuse any other.
    func assertDescribes(
        _ body: String, as type: String, file: StaticString = #filePath, line: UInt = #line
    ) throws {
        let answer = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        for problem in try problems(try XCTUnwrap(answer?["Response"], body), type, at: type) {
            XCTFail("\(problem) in \(body)", file: file, line: line)
        }
    }

    private func problems(_ value: Any, _ type: String, at path: String) throws -> [String] {
        guard let value = value as? [String: Any] else { return ["\(path) is no object"] }
        let members = try XCTUnwrap(objects[type]?["members"] as? [[String: Any]], type)
        var problems: [String] = []
        var known: Set<String> = []
        for member in members {
            let name = try XCTUnwrap(member["name"] as? String)
            known.insert(name)
            guard let content = value[name] else {
                if member["output_required"] as? Bool == true { problems.append("\(path).\(name) is missing") }
                continue
            }
            let elements = member["type"] as? String == "list" ? content as? [Any] : [content]
            guard let elements else {
                problems.append("\(path).\(name) is no list")
                continue
            }
            for element in elements {
                let kind = try XCTUnwrap(member["member"] as? String)
                if objects[kind] != nil {
                    problems += try self.problems(element, kind, at: "\(path).\(name)")
                } else if !Self.is(element, kind) {
                    problems.append("\(path).\(name) is no \(kind): \(element)")
                }
            }
        }
        return problems + value.keys.filter { !known.contains($0) }.map { "\(path).\($0) is unknown" }
    }

    private static func `is`(_ value: Any, _ kind: String) -> Bool {
        let isBoolean = (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
        switch kind {
        case "string", "datetime": return value is String
        case "bool": return isBoolean
        case "int64", "uint64": return !isBoolean && value is Int
        case "float": return !isBoolean && value is Double
        default: return false
        }
    }
}
