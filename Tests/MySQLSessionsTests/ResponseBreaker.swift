import SeededRandom
import MySQLWire
import TestSupport

/// A way to get an answer wrong.
struct Breakage: Sendable {
    let name: String
    let apply: @Sendable (FakeMySQLServer.Answer) -> [FakeMySQLServer.Answer]
}

/// Makes up broken answers: all of another shape, and some values of each column, chosen by a seed.
struct ResponseBreaker {
    private var generator: SplitMix64

    /// How many broken answers to each statement are tried.
    private static let tries = 6

    init(_ generator: SplitMix64) { self.generator = generator }

    /// - Parameter answer: the right one.
    mutating func breakages(of answer: FakeMySQLServer.Answer) -> [Breakage] {
        var breakages = Self.ofAnyAnswer
        if case .rows(let columns, let rows) = answer, !columns.isEmpty {
            breakages += Self.ofRows(columns, rows) + ofValues(columns, rows)
        }
        return Array(breakages.shuffled(using: &generator).prefix(Self.tries))
    }

    private static let ofAnyAnswer: [Breakage] = {
        var breakages = [
            Breakage(name: "an OK packet") { _ in [.ok] }, Breakage(name: "no answer at all") { _ in [] },
            Breakage(name: "the answer twice") { [$0, $0] }, Breakage(name: "an OK packet besides") { [$0, .ok] },
            Breakage(name: "an answer of a column too many") { [$0, .rows(["id"], [["7"]])] },
            Breakage(name: "the end of the connection") { _ in [.close] },
            Breakage(name: "a reset") { _ in [.reset] },
            Breakage(name: "an answer without columns") { _ in [.rows([], [])] },
        ]
        // Of MySQL, of MariaDB and of nobody.
        for code: UInt16 in [
            1_040, 1_053, 1_064, 1_094, 1_142, 1_146, 1_227, 1_317, 1_927, 3_854, 4_012, 5_066, 65_535,
        ] {
            breakages.append(Breakage(name: "error \(code)") { _ in [.error(code, "cannot be verified: \u{1B}[2J")] })
        }
        for count in [1, 4, 5, 11, 60] {
            breakages.append(Breakage(name: "\(count) bytes and the end") { [.cutting($0, after: count)] })
        }
        return breakages
    }()

    private static func ofRows(_ columns: [String], _ rows: [[String?]]) -> [Breakage] {
        let row = rows.first ?? columns.map { _ in "1" }
        var breakages = [
            Breakage(name: "no rows") { _ in [.rows(columns, [])] },
            Breakage(name: "the rows twice") { _ in [.rows(columns, rows.isEmpty ? [row, row] : rows + rows)] },
            Breakage(name: "one row a thousand times") { _ in
                [.rows(columns, [[String?]](repeating: row, count: 1_000))]
            },
            Breakage(name: "a row of NULLs") { _ in [.rows(columns, [columns.map { _ in nil }])] },
            Breakage(name: "the columns from right to left") { _ in
                [.rows(columns.reversed(), rows.map { $0.reversed() })]
            },
            Breakage(name: "columns without names") { _ in [.rows(columns.map { _ in "" }, rows)] },
            Breakage(name: "a short row") { _ in [.encodedRows(columns, [encoded(Array(row.dropLast()))])] },
            Breakage(name: "an empty row") { _ in [.encodedRows(columns, [[]])] },
            Breakage(name: "a long row") { _ in [.encodedRows(columns, [encoded(row + ["1"])])] },
            Breakage(name: "a row of lengths without texts") { _ in
                [
                    .encodedRows(
                        columns,
                        [columns.flatMap { _ -> [UInt8] in [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F] }])
                ]
            },
            Breakage(name: "texts that are not UTF-8") { _ in
                [.encodedRows(columns, [columns.flatMap { _ -> [UInt8] in [4, 0xFF, 0xC3, 0x28, 0x00] }])]
            },
        ]
        for index in columns.indices {
            func without<Element>(_ list: [Element]) -> [Element] { Array(list[..<index] + list[(index + 1)...]) }
            let (fewerColumns, fewerValues) = (without(columns), rows.map { without($0) })
            breakages.append(
                Breakage(name: "no column \(columns[index])") { _ in [.rows(fewerColumns, fewerValues)] })
            breakages.append(
                Breakage(name: "two columns \(columns[index])") { _ in
                    [.rows(columns + [columns[index]], rows.map { $0 + [$0[index]] })]
                })
        }
        return breakages
    }

    private static let values: [String?] = [
        nil, "", " ", "0", "-1", "1.5", "x", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
        "1e400", "nan", "-0", "\0", "NULL", "\u{661}", "7\u{301}", "ON", "NONE", String(repeating: "9", count: 5_000),
        String(repeating: "e\u{301}", count: 30_000),
    ]

    private mutating func ofValues(_ columns: [String], _ rows: [[String?]]) -> [Breakage] {
        let rows = rows.isEmpty ? [columns.map { _ in "1" }] : rows
        var breakages: [Breakage] = []
        for index in columns.indices {
            for value in Self.values.shuffled(using: &generator).prefix(8) {
                let row = Int.random(in: rows.indices, using: &generator)
                var broken = rows
                broken[row][index] = value
                let (name, altered) = (value.map { "\"\($0.prefix(24))\"" } ?? "NULL", broken)
                breakages.append(
                    Breakage(name: "\(name) as \(columns[index]) of row \(row)") { _ in [.rows(columns, altered)] })
            }
        }
        return breakages
    }
}
