import RequestSigning
import Foundation
import XCTest

@testable import ContractFixtures

/// What is said to be proven, is.
final class ProofTests: XCTestCase {
    private func page() async throws -> ProofPage {
        ProofPage(
            api: try await ServedAPI.read(), fixtures: try FixtureFolder(ServedAPI.fixturesFolder).fixtures,
            tests: try SourceTests())
    }

    func testThePageIsCurrent() async throws {
        let text = try await page().text()
        let file = ServedAPI.root.appendingPathComponent("Sources/killd/killd.docc/Proof.md")
        if ProcessInfo.processInfo.environment["KILLD_WRITE_PROOF"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        let written = try String(contentsOf: file, encoding: .utf8)
        let (old, new) = (written.split(separator: "\n"), text.split(separator: "\n"))
        let difference = zip(old, new).first { $0 != $1 }
        XCTAssertEqual(
            written == text, true, "\(difference.map { "\($0)" } ?? "") (KILLD_WRITE_PROOF=1 writes it anew)")
    }

    func testEveryActionIsInAFixture() async throws {
        let page = try await page()
        XCTAssertGreaterThan(page.api.actions.count, 120)
        for action in page.api.actions {
            XCTAssertFalse(page.fixtures(of: action).isEmpty, "\(action.name) \(action.version)")
        }
    }

    func testEveryParameterCodeAndOutcomeIsInAFixtureOrListedWithAReason() async throws {
        let page = try await page()
        var lacking: Set<String> = []
        for action in page.api.actions {
            lacking.formUnion(
                action.parameters.filter { parameter in !page.fixtures.contains { $0.sends(parameter, to: action) } }
                    .map { "\(action.name).\($0)" })
        }
        lacking.formUnion(page.api.codes.filter { page.fixtures(expecting: $0, of: .dbbrain).isEmpty })
        lacking.formUnion(page.api.dasCodes.filter { page.fixtures(expecting: $0, of: .das).isEmpty })
        lacking.formUnion(
            page.api.outcomes.filter { outcome in !page.fixtures.contains { $0.outcomes.contains(outcome) } })
        XCTAssertEqual(lacking.sorted(), ProofPage.notCovered.keys.sorted())
        for (name, reason) in ProofPage.notCovered { XCTAssertGreaterThan(reason.count, 10, name) }
    }

    func testEveryOutcomeIsInATestOnRealServers() async throws {
        let page = try await page()
        for outcome in page.api.outcomes {
            XCTAssertFalse(page.tests.classes(with: "\"\(outcome)\"").isEmpty, outcome)
        }
    }

    func testEveryPromiseHasTestsOnRealServers() async throws {
        let page = try await page()
        XCTAssertEqual(Set(page.tests.laws().map(\.number)), Set(1...8))
        for law in page.tests.laws() {
            XCTAssertFalse(law.tests.isEmpty, law.className)
            XCTAssertFalse(law.servers.isEmpty, law.className)
        }
    }

    /// Whoever names victims relies on it that nobody else is prepared.
    func testFixturesThatEndSessionsCheckWhoseTheyAreFirst() throws {
        for fixture in try FixtureFolder(ServedAPI.fixturesFolder).fixtures where fixture.reach == .victims {
            let first = fixture.steps.firstIndex { step in
                step.captures.contains { $0.name == "victim" }
            }
            guard let first else {
                XCTAssertTrue(fixture.steps.allSatisfy { $0.request.action != "KillMySqlThreads" }, fixture.file)
                continue
            }
            let words = fixture.steps[first].expected.body?.texts ?? []
            XCTAssertTrue(words.contains("{{victims}}"), fixture.file)
        }
    }

    func testNoFixtureHasASecret() throws {
        for fixture in try FixtureFolder(ServedAPI.fixturesFolder).fixtures {
            for step in fixture.steps where step.request.person != nil {
                XCTAssertTrue(["alice", "ci", "preparer", "tokened"].contains(step.request.person), fixture.file)
            }
        }
    }
}
