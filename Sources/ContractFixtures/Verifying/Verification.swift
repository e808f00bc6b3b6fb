import StandInKeys
import APIClient
import Cryptography
import Glibc
import Parameters
import RequestSigning
import Text

/// Sends fixtures to an endpoint and compares what comes back.
///
/// Blocks the thread: made for a command, which has nothing else to do.
public struct Verification: Sendable {
    /// An address at which an API is served.
    public struct Target: Sendable {
        public let endpoint: Endpoint
        public let trust: ServerTrust

        public init(endpoint: Endpoint, trust: ServerTrust = ServerTrust()) {
            self.endpoint = endpoint
            self.trust = trust
        }
    }

    public var targets: [CloudAPI: Target]
    public var credentials: APICredentials
    /// The keys of others, whom fixtures call by these names.
    public var people: [String: APICredentials] = [:]
    public var region: String?
    public var values: Values
    /// The seed that the stand-in has.
    public var seed: String?
    /// Whether sessions of the user `victims` may be ended on a server that is no stand-in.
    public var isDestructive = false

    public init(targets: [CloudAPI: Target], credentials: APICredentials, values: Values = Values()) {
        self.targets = targets
        self.credentials = credentials
        self.values = values
    }

    public struct Result: Sendable {
        public let fixture: Fixture
        public let verdict: Verdict
        public let duration: Duration
    }

    public enum Verdict: Sendable {
        case asExpected
        /// In one step; the steps behind it were not sent.
        case different(step: Int, [Difference])
        /// Nothing of it was sent.
        case skipped(reason: String)
        /// The request of a step brought no response.
        case failed(step: Int, APIClientError)
    }

    /// - Parameter tell: called after each fixture.
    public func run(_ fixtures: [Fixture], tell: (Result) -> Void = { _ in }) throws(CryptographyError) -> [Result] {
        let run = hexadecimal(try randomBytes(count: 4))
        var results: [Result] = []
        var pace = Pace()
        for (index, fixture) in fixtures.enumerated() {
            let start = ContinuousClock.now
            let verdict = verdict(on: fixture, world: "contract-\(run)-\(index + 1)", &pace)
            let result = Result(fixture: fixture, verdict: verdict, duration: start.duration(to: .now))
            tell(result)
            results.append(result)
        }
        return results
    }

    // MARK: One fixture

    /// Whether its answers come from a stand-in: what is signed with this key nobody else accepts.
    public var isOfStandIn: Bool {
        StandInKey(id: credentials.secretID) != nil
            && credentials.secretKey.reveal().isSame(as: StandInKey.secretKey)
    }

    /// What a stand-in's own seed gives for the values that fixtures name, where nothing else is said.
    public mutating func takeValuesOfStandIn() {
        var own = StandInSeed.values
        if let seed, seed.isSame(as: "contract") { own["approvalsInstance"] = "cdb-approvals" }
        for (name, value) in own where values[name] == nil { values[name] = value }
    }

    /// Why a fixture is not sent; nil if it is.
    func obstacle(to fixture: Fixture) -> String? {
        for step in fixture.steps where targets[step.request.destination] == nil {
            return step.request.destination == .das ? "needs --das-endpoint" : "needs --endpoint"
        }
        if case .seed(let seed) = fixture.needs {
            guard isOfStandIn else { return "needs a stand-in with the seed \(seed)" }
            guard self.seed?.isSame(as: seed) == true else {
                return "needs --seed \(seed), which the stand-in has to have"
            }
        }
        if isOfStandIn {
            for person in fixture.steps.compactMap(\.request.person)
            where seed == nil && !StandInSeed.people.contains(person) {
                return "needs a seed with the account \(person)"
            }
        } else {
            switch fixture.reach {
            case .nobody: break
            case .victims where isDestructive && values["victims"] != nil: break
            case .victims where isDestructive: return "may end sessions: needs --victims USER, whose they are"
            case .victims: return "may end sessions: needs --destructive, and --victims USER, whose they are"
            case .anybody: return "may end anybody's sessions, and is sent to a stand-in only"
            }
            for person in fixture.steps.compactMap(\.request.person) where people[person] == nil {
                return "needs the key of \(person), in the file of --values"
            }
        }
        let captured = Set(fixture.steps.flatMap { $0.captures.map { ExactText($0.name) } })
        for step in fixture.steps {
            for text in step.request.parameters.texts + (step.expected.body?.texts ?? []) + step.captures.map(\.path) {
                for case .value(let name) in Template.pieces(of: text)
                where !captured.contains(ExactText(name)) && values[name] == nil {
                    return "needs --set \(name)=…"
                }
            }
        }
        return nil
    }

    private func verdict(on fixture: Fixture, world: String, _ pace: inout Pace) -> Verdict {
        if let obstacle = obstacle(to: fixture) { return .skipped(reason: obstacle) }
        var values = values
        for (index, step) in fixture.steps.enumerated() {
            do {
                let differences = try perform(step, world: world, &values, &pace)
                if !differences.isEmpty { return .different(step: index, differences) }
            } catch let error as APIClientError {
                return .failed(step: index, error)
            } catch let error as MissingValue {
                let difference = Difference(
                    path: "{{\(error.name)}}", expected: "a value from an earlier step", found: "nothing")
                return .different(step: index, [difference])
            } catch {
                let difference = Difference(path: "", expected: "a request that can be sent", found: "\(error)")
                return .different(step: index, [difference])
            }
        }
        return .asExpected
    }

    /// Sends a step, more than once where it has several attempts.
    private func perform(
        _ step: Step, world: String, _ values: inout Values, _ pace: inout Pace
    ) throws -> [Difference] {
        var differences: [Difference] = []
        for attempt in 1...step.attempts {
            let key = key(of: step.request.person, world: world)
            // What is to come too often is not put off.
            pace.call(step.request.action, of: key.secretID, waits: step.attempts == 1 || step.pause > 0)
            let response = try response(to: step.request, by: key, values)
            let body = try? ParameterTree(json: response.body)
            differences = try step.expected.differences(from: response, body, values)
            if differences.isEmpty {
                for (name, path) in step.captures {
                    let path = try path.filled(from: values)
                    guard let value = body?.value(at: path)?.scalar else {
                        return [Difference(path: path, expected: "a value for {{\(name)}}", found: "nothing")]
                    }
                    values[name] = value
                }
                return []
            }
            if attempt < step.attempts { usleep(UInt32(step.pause) * 1_000) }
        }
        return differences
    }

    private func response(
        to request: StepRequest, by key: APICredentials, _ values: Values
    ) throws -> HTTPResponse {
        guard let target = targets[request.destination] else { throw MissingValue(name: "endpoint") }
        let wire = try request.wire(
            to: target.endpoint.authority, by: key, region: region, values: values,
            timestamp: Int64(time(nil)))
        let timeouts = ClientTimeouts(silence: .seconds(30), whole: .seconds(120))
        return try HTTPClient(endpoint: target.endpoint, trust: target.trust, timeouts: timeouts).connect()
            .exchange(wire.message)
    }

    /// In a stand-in's default world each fixture has a world of its own, which nothing before it has changed.
    private func key(of person: String?, world: String) -> APICredentials {
        if isOfStandIn {
            let base =
                credentials.secretID.isSame(as: StandInKey.prefix)
                ? "\(StandInKey.prefix)-\(world)" : credentials.secretID
            return APICredentials(
                secretID: person.map { "\(base).\($0)" } ?? base, secretKey: credentials.secretKey)
        }
        return person.flatMap { people[$0] } ?? credentials
    }
}

/// What a stand-in has that was given no seed.
enum StandInSeed {
    static let people = ["alice", "bob", "ci"]
    static let values = ["instance": "cdb-standin", "victims": "app", "dbUser": "dba", "dbPassword": "kills-nobody"]
}

extension Expectation {
    fileprivate func differences(
        from response: HTTPResponse, _ tree: ParameterTree?, _ values: Values
    ) throws -> [Difference] {
        var differences: [Difference] = []
        if response.status != status {
            differences.append(
                Difference(path: "HTTP status", expected: "\(status)", found: "\(response.status)"))
        }
        for (name, value) in headers {
            let found = response.value(of: name).map { ParameterTree.string($0) }
            differences += try Pattern(value.filled(from: values)).differences(from: found, at: name)
        }
        if let body {
            if let tree {
                differences += try Pattern(body.filled(from: values)).differences(from: tree, at: "")
            } else {
                let beginning = String(decoding: response.body.prefix(200), as: UTF8.self)
                differences.append(Difference(path: "body", expected: "a JSON object", found: beginning))
            }
        }
        if let text {
            let found = ParameterTree.string(String(decoding: response.body, as: UTF8.self))
            differences += try Pattern(text.filled(from: values)).differences(from: found, at: "body")
        }
        return differences
    }
}
