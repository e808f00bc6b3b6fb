import Foundation

/// A file of the documents: the README, a page of killd.docc, or one of the files for who works on killd.
struct Document {
    /// The folder of Package.swift.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let catalog = "Sources/killd/killd.docc"

    /// From ``root``, without a slash before it.
    let path: String
    let text: String

    init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    }

    static func readme() throws -> Document { try Document("README.md") }

    static func page(_ name: String) throws -> Document { try Document("\(catalog)/\(name).md") }

    static func pages() throws -> [Document] { try all(in: catalog) }

    /// Every text for people that is in the repository.
    static func everything() throws -> [Document] {
        try [readme()] + pages() + all(in: ".github")
            + ["requests", "das-requests"].map { try Document("Tests/EndToEndTests/Clients/\($0)/README.md") }
    }

    private static func all(in folder: String) throws -> [Document] {
        try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)
            .filter { $0.hasSuffix(".md") }.sorted().map { try Document("\(folder)/\($0)") }
    }

    /// Without the ending `.md`.
    var name: String { String(path.split(separator: "/").last?.dropLast(3) ?? "") }

    /// What stands between fences, of one language.
    func blocks(of language: String) -> [String] {
        text.components(separatedBy: "```").filter { $0.hasPrefix(language + "\n") }
            .map { String($0.dropFirst(language.count + 1)) }
    }

    /// Without what stands between fences.
    var prose: String {
        text.components(separatedBy: "```").enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
            .joined()
    }

    /// The lines of the part under a heading, until the next of its level or above.
    func section(_ heading: String) -> [Substring] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isHeading = { (line: Substring) in line.hasPrefix("#") && line.hasSuffix("# " + heading) }
        guard let start = lines.firstIndex(where: isHeading) else { return [] }
        let level = lines[start].prefix { $0 == "#" }
        return Array(
            lines[(start + 1)...].prefix { line in
                !line.hasPrefix("#") || line.prefix { $0 == "#" }.count > level.count
            })
    }

    /// The cells of the rows of all tables in some lines, heads and rulers left out.
    static func rows(in lines: [Substring]) -> [[String]] {
        let cells = lines.map { line -> [String]? in
            guard line.hasPrefix("| ") else { return nil }
            return line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        return zip(cells, cells.dropFirst() + [nil]).compactMap { row, next in
            let isRuler = { (row: [String]?) in row?.first?.hasPrefix("---") == true }
            return isRuler(row) || isRuler(next) ? nil : row
        }
    }
}

extension String {
    /// What stands between backticks.
    var inCode: [String] { matches(of: /`([^`\n]+)`/).map { String($0.1) } }
}
