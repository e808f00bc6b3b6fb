import SessionKill
import XCTest

@testable import DASAPI

final class SessionReasonTests: XCTestCase {
    private let fates: [(SessionFate, SessionReason)] = [
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

    func testEveryFateHasTheVendorsReason() {
        for (fate, reason) in fates { XCTAssertEqual(SessionReason(fate), reason, "\(fate)") }
        XCTAssertEqual(Set(fates.map(\.1)), Set(SessionReason.allCases))
    }

    func testWhatIsKilledFailedOrSparedIsOneOfThemAndAnExpiredSessionIsNone() {
        for (fate, reason) in fates {
            let counts = [fate.isKilled, fate.isFailure, fate.isSpared].count(where: { $0 })
            XCTAssertEqual(counts, reason == .expired ? 0 : 1, "\(fate)")
        }
    }
}
