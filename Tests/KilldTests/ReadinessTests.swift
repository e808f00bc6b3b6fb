import XCTest

@testable import killd

final class ReadinessTests: XCTestCase {
    private func report(
        isDraining: Bool = false, store: Probe.Finding = .works, _ instances: Probe.Finding...
    ) -> Readiness.Report {
        Readiness.Report(
            isDraining: isDraining, store: Readiness.Report.Part(store),
            instances: instances.map { Readiness.Report.Part(id: "cdb-1", $0) })
    }

    func testOneInstanceThatIsAwayLeavesKilldReadyForTheOthers() {
        XCTAssertEqual(report(.works, .works).status, .ready)
        let report = report(.works, .fails("away"))
        XCTAssertEqual(report.status, .degraded)
        XCTAssertTrue(report.isReady)
        XCTAssertEqual(report.instances.map(\.problem), [nil, "away"])
    }

    func testWithoutAnyInstanceOrStoreItIsNotReady() {
        for report in [report(.fails("away"), .fails("away")), report(store: .fails("full"), .works)] {
            XCTAssertEqual(report.status, .notReady)
            XCTAssertFalse(report.isReady)
        }
    }

    func testWhileItDrainsItIsNotReadyHoweverWellAllIs() {
        XCTAssertEqual(report(isDraining: true, .works).status, .draining)
        XCTAssertFalse(report(isDraining: true, .works).isReady)
    }
}
