import RequestSigning
import APIClient
import ContractFixtures
import Text

/// `killd contract verify`.
struct ContractVerifyCommand: Sendable {
    private let folder: String
    private var verification: Verification
    private let api: CloudAPI?
    private let only: String?
    private let junit: String?

    init(_ arguments: inout Arguments) throws {
        let das = try arguments.option("--das-endpoint")
        if let text = try arguments.option("--api") {
            guard let api = CloudAPI(rawValue: text) else {
                throw UsageError("--api: expected dbbrain or das, found \"\(text)\"")
            }
            self.api = api
        } else {
            api = nil
        }
        only = try arguments.option("--only")
        junit = try arguments.option("--junit")
        let file = try arguments.option("--values").map { try ContractValues(file: $0) }
        var values = file?.values ?? Values()
        for pair in try arguments.options("--set") {
            guard let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")),
                Template.isName(String(Substring(pair.utf8[..<equals])))
            else { throw UsageError("--set: expected NAME=VALUE, found \"\(pair)\"") }
            values[String(Substring(pair.utf8[..<equals]))] = String(Substring(pair.utf8[equals...].dropFirst()))
        }
        for (option, name) in [("--instance", "instance"), ("--victims", "victims")] {
            if let value = try arguments.option(option) { values[name] = value }
        }
        let seed = try arguments.option("--seed")
        let isDestructive = arguments.flag("--destructive")
        // Taken by ClientOptions, which has no use for it here.
        let client = try ClientOptions(&arguments).client
        var targets: [CloudAPI: Verification.Target] = [
            .dbbrain: Verification.Target(endpoint: client.endpoint, trust: client.trust)
        ]
        if let das {
            guard let endpoint = Endpoint(das) else {
                throw UsageError("--das-endpoint: expected http://HOST:PORT or https://HOST:PORT, found \"\(das)\"")
            }
            targets[.das] = Verification.Target(endpoint: endpoint, trust: client.trust)
        }
        verification = Verification(targets: targets, credentials: client.credentials, values: values)
        verification.people = file?.people ?? [:]
        verification.region = client.region
        verification.seed = seed
        verification.isDestructive = isDestructive
        if verification.isOfStandIn { verification.takeValuesOfStandIn() }
        let words = try arguments.positional()
        guard words.count == 1, let word = words.first else { throw UsageError("expected one folder of fixtures") }
        folder = word
    }

    func run() throws -> ExitStatus {
        let all: [Fixture]
        do throws(FixtureError) {
            all = try FixtureFolder(folder).fixtures
        } catch {
            throw CommandFailure("\(error)")
        }
        let chosen = all.filter { fixture in
            (api == nil || fixture.api == api)
                && (only.map { only in
                    [fixture.name, fixture.action, fixture.file].contains {
                        $0.utf8.firstRange(of: Array(only.utf8)) != nil
                    }
                } ?? true)
        }
        guard !chosen.isEmpty else { throw CommandFailure("\(folder): no fixture is of this API and has this name") }
        let results = try verification.run(chosen) { result in
            let text = ContractReport.text(of: result)
            if !text.text.isEmpty { Terminal.standardOutput.write(text) }
        }
        Terminal.standardOutput.write(ContractReport.summary(of: results))
        if let junit { try Array(JUnitReport(results).xml.utf8).write(toFile: junit) }
        return ContractReport.isAsExpected(results) ? .done : .failed
    }
}
