import Foundation
import TestSupport
import XCTest

/// What only the approvers' keys tell: somebody who has the store's file and makes every hash anew cannot sign for them.
final class KeptRequestTests: XCTestCase {
    func testApprovalsAreProvenByTheKeysOfTheirAccountsAlsoBesideARunningKilldAndForgedOnesAreNot() async throws {
        try await withApprovals { scene in
            let plans = [try await scene.preparePlan(), try await scene.preparePlan()]
            for plan in plans {
                for account in ["alice", "bob"] { _ = try scene.approve(plan, by: account) }
            }
            let killd = scene.killd
            let fine = try await KilldProcess.run(["audit", "verify", "--config", killd.configurationFile])
            XCTAssertEqual(fine.status, 0, fine.output + fine.error)
            XCTAssertTrue(
                fine.output.contains("2 of 2 agree with their entries, 4 of 4 decisions with their signatures"),
                fine.output)

            let copy = try AuditScene(copying: killd)
            try await copy.forge(
                """
                UPDATE decisions SET person = 'carol', account = 'carol' WHERE id = 1;
                UPDATE audit_entries SET payload = replace(payload, 'alice', 'carol')
                    WHERE seq = (SELECT entry FROM decisions WHERE id = 1)
                """)
            try await copy.rehash(from: 1)
            // carol's key id is not alice's.
            let renamed = try await copy.verify(["--config", killd.configurationFile])
            XCTAssertTrue(
                renamed.output.contains(
                    "not proven: approved of \(plans[0].name) by carol: it is signed with another key"), renamed.output)

            let swapped = try AuditScene(copying: killd)
            try await swapped.forge(
                "UPDATE decisions SET request = (SELECT request FROM decisions WHERE id = 3) WHERE id = 1")
            try await swapped.signAnew(1)
            try await swapped.rehash(from: 1)
            try await swapped.assertFound(
                "plan \(plans[0].name): forged: that it was approved by alice: the request that is kept with it is about "
                    + "plan \(plans[1].name)")

            let changed = try AuditScene(copying: killd)
            try await changed.forge(
                "UPDATE decisions SET request = replace(request, '\(plans[1].digest)', '\(plans[0].digest)') WHERE id = 3"
            )
            try await changed.forge(
                "UPDATE decisions SET request = replace(request, '\(plans[1].name)', '\(plans[0].name)') WHERE id = 3")
            try await changed.forge(
                "UPDATE decisions SET request = (SELECT request FROM decisions WHERE id = 3) WHERE id = 1")
            try await changed.signAnew(1)
            try await changed.signAnew(3)
            try await changed.rehash(from: 1)
            try await changed.assertFound(
                "plan \(plans[0].name): forged: that it was approved by alice: the request that is kept with it does not "
                    + "verify with the account's key", ["--config", killd.configurationFile])
        }
    }
}
