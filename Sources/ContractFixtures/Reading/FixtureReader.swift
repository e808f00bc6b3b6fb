import RequestSigning
import Parameters
import Settings
import Text

extension Fixture {
    /// Reads a fixture.
    ///
    /// - Parameter file: the path by which messages name it.
    public init(json bytes: [UInt8], file: String) throws(FixtureError) {
        do throws(FixtureMistake) {
            var reader = try FixtureReader(try ParameterTree(file: bytes, FixtureMistake.self))
            name = try reader.requiredString("name")
            evidence = try reader.requiredChoice("evidence", Evidence.self)
            source = try reader.requiredString("source")
            let api = try reader.requiredChoice("api", CloudAPI.self)
            let action = try reader.requiredString("action")
            needs = try reader.needs()
            var steps: [Step] = []
            for var step in try reader.objects("steps") { steps.append(try Step(&step, of: (api, action))) }
            try reader.refuseUnknownKeys()
            (self.api, self.action, self.steps, self.file) = (api, action, steps, file)
        } catch {
            throw FixtureError(file, error)
        }
    }

    /// Reads a recording: a step a line, all together one fixture.
    public init(recording bytes: [UInt8], file: String) throws(FixtureError) {
        var steps: [Step] = []
        var source: String?
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            do throws(FixtureMistake) {
                var reader = try FixtureReader(try ParameterTree(file: Array(line), FixtureMistake.self))
                _ = try reader.requiredChoice("evidence", Evidence.self)
                let origin = try reader.requiredString("source")
                source = source ?? origin
                let api = try reader.requiredChoice("api", CloudAPI.self)
                let action = try reader.requiredString("action")
                // For people; what is compared stands in `expect`.
                _ = reader.value("answer")
                steps.append(try Step(&reader, of: (api, action)))
            } catch {
                throw FixtureError("\(file), line \(index + 1)", error)
            }
        }
        guard let first = steps.first, let source else { throw FixtureError(file, "", "the recording is empty") }
        self.init(
            file: file, name: "recorded", evidence: .seen, source: source, api: first.request.api,
            action: first.request.action, needs: .anyServer, steps: steps)
    }
}

extension FixtureReader {
    fileprivate mutating func needs() throws(FixtureMistake) -> Need {
        switch value("needs") {
        case nil: return .anyServer
        case .string(let text)? where text.isSame(as: "any server"): return .anyServer
        case .object?:
            guard var object = try object("needs") else { return .anyServer }
            let seed = try object.requiredString("seed")
            try object.refuseUnknownKeys()
            return .seed(seed)
        default: throw error("needs", "expected \"any server\" or { \"seed\": NAME }")
        }
    }
}

extension Step {
    fileprivate init(
        _ reader: inout FixtureReader, of whole: (api: CloudAPI, action: String)
    ) throws(FixtureMistake) {
        guard var request = try reader.object("request") else { throw reader.missing("request", "an object: { … }") }
        self.request = try StepRequest(&request, of: whole)
        guard var expected = try reader.object("expect") else { throw reader.missing("expect", "an object: { … }") }
        self.expected = try Expectation(&expected)
        var captures: [(name: String, path: String)] = []
        for (name, path) in try reader.texts("capture") {
            guard let path, Template.isName(name) else {
                throw reader.error("capture", "expected names of letters, digits, . and -, with paths")
            }
            captures.append((name, path))
        }
        self.captures = captures
        attempts = try reader.integer("attempts", in: 1...1_000) ?? 1
        pause = try reader.integer("pauseMilliseconds", in: 0...10_000) ?? 0
        endsNobody = try reader.string("endsNobody")
        try reader.refuseUnknownKeys()
    }
}

extension StepRequest {
    fileprivate init(
        _ reader: inout FixtureReader, of whole: (api: CloudAPI, action: String)
    ) throws(FixtureMistake) {
        let api = try reader.choice("api", CloudAPI.self) ?? whole.api
        self.api = api
        destination = try reader.choice("at", CloudAPI.self) ?? api
        action = try reader.string("action") ?? whole.action
        version = try reader.string("version") ?? api.version
        let parameters = reader.value("parameters") ?? .object([])
        guard case .object = parameters else { throw reader.error("parameters", "expected an object: { … }") }
        self.parameters = parameters
        body = try reader.string("body")
        person = try reader.string("person")
        method = try reader.string("method") ?? "POST"
        var signing = try reader.object("signing")
        self.signing = try Signing(&signing, of: api)
        headers = try reader.texts("headers")
        if headers.contains(where: { ["x-tc-action", "x-acs-action"].contains($0.name.lowercased()) }) {
            throw FixtureMistake(
                at: reader.place.member("headers"), found: nil, "the action is named by \"action\" alone")
        }
        try reader.refuseUnknownKeys()
    }
}

extension StepRequest.Signing {
    fileprivate init(_ reader: inout FixtureReader?, of api: CloudAPI) throws(FixtureMistake) {
        let usual: Scheme = api == .dbbrain ? .tc3 : .rpc
        guard var object = reader else {
            self.init(scheme: usual, secretID: nil, hasWrongKey: false, secondsAgo: 0, nonce: nil, common: [])
            return
        }
        let scheme = try object.choice("scheme", Scheme.self) ?? usual
        guard scheme == .none || [.tc3, .v1].contains(scheme) == (api == .dbbrain) else {
            throw FixtureMistake(
                at: object.place.member("scheme"), found: nil, "\"\(scheme.rawValue)\" is none of this API's")
        }
        self.init(
            scheme: scheme, secretID: try object.string("secretId"),
            hasWrongKey: try object.boolean("wrongKey") ?? false,
            secondsAgo: try object.integer("secondsAgo", in: -1_000_000_000...1_000_000_000) ?? 0,
            nonce: try object.string("nonce"), common: try object.texts("common"))
        guard common.allSatisfy({ !$0.name.isSame(as: "Action") }) else {
            throw FixtureMistake(
                at: object.place.member("common"), found: nil, "the action is named by \"action\" alone")
        }
        try object.refuseUnknownKeys()
    }
}

extension Expectation {
    fileprivate init(_ reader: inout FixtureReader) throws(FixtureMistake) {
        status = try reader.integer("status", in: 100...599) ?? 200
        body = reader.value("body")
        text = reader.value("text")
        var headers: [(name: String, value: ParameterTree)] = []
        if case .object(let members)? = reader.value("headers") {
            headers = members.map { ($0.name.lowercased(), $0.value) }
        }
        self.headers = headers
        for (key, tree) in [("body", body), ("text", text)] + headers.map({ ("headers", $0.value) }) {
            guard let tree else { continue }
            do throws(PatternError) {
                _ = try Pattern(tree)
            } catch {
                let place = error.path.reduce(reader.place.member(key)) { $0.member($1) }
                throw FixtureMistake(at: place, found: nil, error.problem)
            }
        }
        try reader.refuseUnknownKeys()
    }
}
