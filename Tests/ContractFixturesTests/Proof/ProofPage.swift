import RequestSigning
import XCTest

@testable import ContractFixtures

/// The page `Proof` of killd.docc, put together from the fixtures and the tests.
struct ProofPage {
    let api: ServedAPI
    let fixtures: [Fixture]
    let tests: SourceTests

    /// What no fixture covers, and why.
    static let notCovered: [String: String] = [
        "InternalError": "a defect of killd: no request brings it about",
        "RequestSizeLimitExceeded": "a fixture would have ten megabytes; the tests of `ActionDispatch` send them",
        "ended": "needs a killd that is killed in the middle of a Commit, as `ACrashLosesNothingTests` does it",
    ]

    // MARK: Standings

    private func standing(of found: [Fixture]) -> Standing { found.map(\.standing).min() ?? .notCovered }

    /// The standing of an action, or of one of its parameters.
    private func standing(of found: [Fixture], on action: ServedAPI.ServedAction) -> Standing {
        found.isEmpty ? .notCovered : min(.assumed, standing(of: found.filter { $0.shows(action) }))
    }

    private func counts(_ found: [Fixture]) -> String {
        let counts = Evidence.allCases.map { evidence in found.count { $0.evidence == evidence } }
        return counts.map { $0 == 0 ? "–" : "\($0)" }.joined(separator: " | ")
    }

    func fixtures(of action: ServedAPI.ServedAction) -> [Fixture] { fixtures.filter { $0.calls(action) } }

    func fixtures(expecting code: String, of api: CloudAPI) -> [Fixture] {
        fixtures.filter { fixture in
            fixture.codes(of: api).contains { found in
                code.hasSuffix("*")
                    ? found.hasPrefix(code.dropLast()) && !self.api.dasCodes.contains(found) : found == code
            }
        }
    }

    // MARK: The page

    func text() -> String {
        """
        # Proof

        What of the API is proven, what is assumed and what is not covered; of each promise the tests that prove it.

        ## Overview

        This page is put together from the fixtures in `Sources/ContractFixtures/Fixtures` and the tests in \
        `Tests/EndToEndTests`. A test fails where it is not what they say: `KILLD_WRITE_PROOF=1` in its environment has it \
        written anew.

        | word | meaning |
        | --- | --- |
        | proven | the vendor documents it, or it was seen in public, and a fixture of that evidence is sent to killd in front \
        of real MariaDB and MySQL servers by the tests; of an action or a parameter one that is about the action and shows it \
        done |
        | assumed | the vendor leaves it open, and killd has decided; or only a stand-in is asked. It is tested all the same |
        | not covered | no fixture has it |

        The columns *documented*, *seen* and *ours* count the fixtures of each evidence. Each fixture says what it goes by.

        ## Actions

        | action | version | standing | documented | seen | ours |
        | --- | --- | --- | --- | --- | --- |
        \(actions())

        The vendor's other \(unserved.count) actions are answered with `UnsupportedOperation` and their name: \
        \(standing(of: unserved.flatMap(fixtures)).rawValue).

        ## Parameters

        Those of the vendor's that killd reads, and its own.

        | action | proven | assumed | not covered |
        | --- | --- | --- | --- |
        \(parameters())

        ## Codes

        Of DBbrain, those that something in killd answers. The last column names the end-to-end tests that have the code too.

        | code | standing | documented | seen | ours | tests on real servers |
        | --- | --- | --- | --- | --- | --- |
        \(rows(ofCodes: api.codes, .dbbrain))

        Of DAS; `*` stands for the name of a parameter.

        | code | standing | documented | seen | ours | tests on real servers |
        | --- | --- | --- | --- | --- | --- |
        \(rows(ofCodes: api.dasCodes, .das))

        ## Outcomes

        They are killd's own words; the vendor has none. So all are assumed, and each is tested.

        | outcome | fixtures | tests on real servers |
        | --- | --- | --- |
        \(outcomes())

        ## Promises

        Of the promises in the README, by the classes of tests whose comment says that they are of it.

        | promise | tests | on |
        | --- | --- | --- |
        \(laws())

        ## Not covered by a fixture

        | what | why |
        | --- | --- |
        \(Self.notCovered.sorted { $0.key < $1.key }.map { "| `\($0.key)` | \($0.value) |" }.joined(separator: "\n"))

        """
    }

    private var served: [ServedAPI.ServedAction] { api.actions.filter { !$0.isUnserved } }
    private var unserved: [ServedAPI.ServedAction] { api.actions.filter(\.isUnserved) }

    private func actions() -> String {
        served.map { action in
            let found = fixtures(of: action)
            return
                "| `\(action.name)` | \(action.version) | \(standing(of: found, on: action).rawValue) | \(counts(found)) |"
        }.joined(separator: "\n")
    }

    private func parameters() -> String {
        served.map { action in
            var names: [Standing: [String]] = [:]
            for parameter in action.parameters {
                let found = fixtures.filter { $0.sends(parameter, to: action) }
                names[standing(of: found, on: action), default: []].append("`\(parameter)`")
            }
            let cells = [Standing.proven, .assumed, .notCovered].map { names[$0]?.joined(separator: " ") ?? "–" }
            return "| `\(action.name)` \(action.version) | \(cells.joined(separator: " | ")) |"
        }.joined(separator: "\n")
    }

    private func rows(ofCodes codes: [String], _ api: CloudAPI) -> String {
        codes.map { code in
            let found = fixtures(expecting: code, of: api)
            let classes = code.hasSuffix("*") ? [] : tests.classes(with: "\"\(code)\"")
            return "| `\(code)` | \(standing(of: found).rawValue) | \(counts(found)) | \(list(classes)) |"
        }.joined(separator: "\n")
    }

    private func outcomes() -> String {
        api.outcomes.map { outcome in
            let count = fixtures.count { $0.outcomes.contains(outcome) }
            return
                "| `\(outcome)` | \(count == 0 ? "–" : "\(count)") | \(list(tests.classes(with: "\"\(outcome)\""))) |"
        }.joined(separator: "\n")
    }

    private func laws() -> String {
        tests.laws().map { law in
            "| \(law.number) | `\(law.className)`: \(law.tests.count) | \(law.servers.joined(separator: ", ")) |"
        }.joined(separator: "\n")
    }

    private func list(_ names: [String]) -> String {
        let shown = names.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
        guard !names.isEmpty else { return "–" }
        return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
    }
}
