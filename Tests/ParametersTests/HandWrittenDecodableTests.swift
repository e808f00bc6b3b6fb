import Parameters
import XCTest

/// Types that check their own values or open containers by hand.
final class HandWrittenDecodableTests: XCTestCase {
    private enum Stage: String, Decodable { case prepare = "Prepare", commit = "Commit" }

    private struct ThreadID: Decodable, Equatable {
        struct OutOfRange: Error {}
        let number: Int64

        init(from decoder: any Decoder) throws {
            number = try decoder.singleValueContainer().decode(Int64.self)
            guard number > 0 else { throw OutOfRange() }
        }
    }

    private struct Name: Decodable {
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            guard try container.decode(String.self).hasPrefix("cdb-") else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "no instance of MySQL")
            }
        }
    }

    func testReportsTheValueThatATypeRefuses() {
        assertRejects(Box<Stage>.self, #"{"a":"commit"}"#, .invalidValue(path: "a", value: "commit"))
        assertRejects(Box<[Stage]>.self, #"{"a":["Commit",""]}"#, .invalidValue(path: "a.1", value: ""))
        assertRejects(Box<[ThreadID]>.self, #"{"a":[0]}"#, .invalidValue(path: "a.0", value: "0"))
        assertRejects(Box<[ThreadID]>.self, #"{"a":[1,2,-3]}"#, .invalidValue(path: "a.2", value: "-3"))
        assertRejects(Box<[ThreadID]>.self, #"{"a":[1,"2"]}"#, .wrongType(path: "a.1"))
        assertRejects(Box<Name>.self, #"{"a":"x"}"#, .invalidValue(path: "a", value: "x"))
    }

    func testReportsTheMemberThatATypeRefuses() {
        struct Range: Decodable {
            enum CodingKeys: CodingKey { case from, to }
            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                guard try container.decode(Int.self, forKey: .from) <= container.decode(Int.self, forKey: .to) else {
                    throw DecodingError.dataCorruptedError(forKey: .to, in: container, debugDescription: "before from")
                }
            }
        }
        assertRejects(Box<[Range]>.self, #"{"a":[{"from":2,"to":1}]}"#, .invalidValue(path: "a.0.to", value: "1"))
    }

    func testTurnsEveryDecodingErrorOfATypeIntoAParameterError() {
        struct Thrower<Kind: ErrorKind>: Decodable {
            init(from decoder: any Decoder) throws { throw Kind.error(at: decoder.codingPath) }
        }
        let json = #"{"a":["v"]}"#
        assertRejects(Box<[Thrower<Mismatch>]>.self, json, .wrongType(path: "a.0"))
        assertRejects(Box<[Thrower<NoValue>]>.self, json, .missing(path: "a.0"))
        assertRejects(Box<[Thrower<NoKey>]>.self, json, .missing(path: "a.0.k"))
        assertRejects(Box<[Thrower<NoPath>]>.self, json, .invalidValue(path: "a.0", value: "v"))
    }

    func testGivesTheTextOfARefusedValueOfEveryKind() {
        struct Refuser: Decodable {
            struct Rejection: Error {}
            init(from decoder: any Decoder) throws { throw Rejection() }
        }
        for (json, text) in [
            ("[]", "[]"), ("{}", "{}"), ("[1,\"a\",[null]]", "[1,a,[null]]"), ("{\"x\":true}", "{x:true}"),
            ("1.50", "1.50"), ("\"\"", ""), ("false", "false"),
        ] {
            assertRejects(Box<Refuser>.self, "{\"a\":\(json)}", .invalidValue(path: "a", value: text))
        }
    }

    // MARK: - Containers that a type opens by hand

    func testReadsThroughNestedContainersAndSuperDecoders() throws {
        struct Manual: Decodable {
            enum Keys: String, CodingKey { case object, array, base, `super` }
            enum Inner: String, CodingKey { case number }
            var numbers: [Int] = []

            init(from decoder: any Decoder) throws {
                let keyed = try decoder.container(keyedBy: Keys.self)
                let inner = try keyed.nestedContainer(keyedBy: Inner.self, forKey: .object)
                numbers.append(try inner.decode(Int.self, forKey: .number))
                var list = try keyed.nestedUnkeyedContainer(forKey: .array)
                numbers.append(try XCTUnwrap(list.count))
                numbers.append(try list.nestedContainer(keyedBy: Inner.self).decode(Int.self, forKey: .number))
                var nested = try list.nestedUnkeyedContainer()
                while !nested.isAtEnd { numbers.append(try nested.decode(Int.self)) }
                numbers.append(try Int(from: list.superDecoder()))
                XCTAssertTrue(try list.decodeNil())
                XCTAssertEqual(list.currentIndex, 4)
                XCTAssertTrue(list.isAtEnd)
                numbers.append(try Int(from: keyed.superDecoder(forKey: .base)))
                numbers.append(try Int(from: keyed.superDecoder()))
            }
        }
        let json = #"{"object":{"number":1},"array":[{"number":2},[3,4],5,null],"base":6,"super":7}"#
        XCTAssertEqual(try decode(Manual.self, json).numbers, [1, 4, 2, 3, 4, 5, 6, 7])
    }

    func testReadingPastTheEndIsMissingAndNeverTraps() {
        struct Pair: Decodable {
            init(from decoder: any Decoder) throws {
                var container = try decoder.unkeyedContainer()
                XCTAssertFalse(try container.decodeNil())
                _ = (try container.decode(Int.self), try container.decode(Int.self))
            }
        }
        assertRejects(Box<Pair>.self, #"{"a":[1]}"#, .missing(path: "a.1"))
        assertRejects(Box<Pair>.self, #"{"a":[]}"#, .missing(path: "a.0"))
    }

    func testAnAbsentSuperIsMissing() {
        struct Child: Decodable {
            enum CodingKeys: CodingKey { case a }
            init(from decoder: any Decoder) throws {
                _ = try decoder.container(keyedBy: CodingKeys.self).superDecoder()
            }
        }
        assertRejects(Child.self, #"{"a":1}"#, .missing(path: "super"))
    }
}

private protocol ErrorKind {
    static func error(at path: [any CodingKey]) -> DecodingError
}

private enum Mismatch: ErrorKind {
    static func error(at path: [any CodingKey]) -> DecodingError {
        .typeMismatch(Int.self, .init(codingPath: path, debugDescription: ""))
    }
}

private enum NoValue: ErrorKind {
    static func error(at path: [any CodingKey]) -> DecodingError {
        .valueNotFound(Int.self, .init(codingPath: path, debugDescription: ""))
    }
}

private enum NoKey: ErrorKind {
    enum Key: CodingKey { case k }
    static func error(at path: [any CodingKey]) -> DecodingError {
        .keyNotFound(Key.k, .init(codingPath: path, debugDescription: ""))
    }
}

private enum NoPath: ErrorKind {
    static func error(at path: [any CodingKey]) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: ""))
    }
}
