import SessionKill
import XCTest

@testable import DASAPI

final class SessionReasonTests: XCTestCase {
    private let outcomes: [(SessionTaskOutcome, SessionReason)] = [
        (.decided(.killed), .killed), (.decided(.rollingBack(rowsLeft: 1)), .killed), (.decided(.xaPrepared), .killed),
        (.decided(.gone), .expired), (.decided(.replaced), .expired), (.decided(.denied(.untold)), .noPermission),
        (.decided(.denied(.byServer(message: "You are not owner of thread 5"))), .noPermission),
        (.decided(.xaUnknown), .killed), (.decided(.alreadyCommitted), .killed),
        (.decided(.failed(.outlivedKillCommitted)), .timeout),
        (.loginRefused, .accountError), (.ignoredUser, .ignoredUser),
        (.decided(.protected(.replication)), .internalUserOrCommand),
        (.decided(.protected(.protectedUser)), .internalUserOrCommand), (.decided(.failed(.outlivedKill)), .timeout),
        (.decided(.failed(.refused(ServerMessage(code: 1_205, text: "Lock wait timeout exceeded")))), .otherError),
        (.decided(.unknown), .otherError),
        (.decided(.ended), .expired),
    ]

    func testEveryOutcomeHasTheVendorsReason() {
        for (outcome, reason) in outcomes { XCTAssertEqual(SessionReason(outcome), reason, "\(outcome)") }
        XCTAssertEqual(Set(outcomes.map(\.1)), Set(SessionReason.allCases))
    }

    func testWhatIsKilledFailedOrSparedIsOneOfThemAndAnExpiredSessionIsNone() {
        for (outcome, reason) in outcomes {
            let counts = [outcome.isKilled, outcome.isFailure, outcome.isSpared].count(where: { $0 })
            XCTAssertEqual(counts, reason == .expired ? 0 : 1, "\(outcome)")
        }
    }
}
