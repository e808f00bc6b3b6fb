import Foundation
import Webhooks
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

    func testAWebhookThatFailsIsToldAndMakesNobodyUnready() throws {
        let standing = WebhookStanding(
            target: "ops", counts: [:], waiting: 3, problem: .status(500), failingSince: nil, isOff: false)
        let report = Readiness.Report(
            isDraining: false, store: Readiness.Report.Part(.works), instances: [Readiness.Report.Part(.works)],
            webhooks: [standing])
        XCTAssertEqual(report.status, .ready)
        let text = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        XCTAssertTrue(text.contains("the receiver answered with status 500; 3 message(s) wait"), text)
        let metrics = String(decoding: MetricsPage.text(of: .init(), report: report, process: nil), as: UTF8.self)
        XCTAssertTrue(metrics.contains(#"killd_webhook_waiting{target="ops"} 3"#), metrics)
        XCTAssertTrue(
            metrics.contains(#"killd_webhook_deliveries_total{target="ops",result="gave-up"} 0"#), metrics)
    }

    func testWhileItDrainsItIsNotReadyHoweverWellAllIs() {
        XCTAssertEqual(report(isDraining: true, .works).status, .draining)
        XCTAssertFalse(report(isDraining: true, .works).isReady)
    }
}
