import MySQLSessions
import ODPDouble
import SessionKill
import TestSupport
import XCTest

final class ProxyDiagnosisTests: XCTestCase {
    private func findings(
        of odp: ODPDouble, user: String = "root@sys", port: UInt16? = nil
    ) async throws -> [MySQLFinding] {
        try await odp.withServer(user: user, port: port) { await $0.check() }
    }

    func testSaysWhoAnswersAndWhatTheLoginReaches() async throws {
        let odp = try ODPDouble()
        let client = try await ProxyClients.open(1, on: odp)
        let foreign = try await ProxyClients.open(1, on: odp, as: "app@t1#elsewhere")
        let machinery = try await ProxyClients.open(1, on: odp, as: "proxyro@sys")
        let findings = try await findings(of: odp)
        XCTAssertEqual(findings.map(\.severity), [.information, .information])
        let text = findings.map(\.description).joined(separator: "\n")
        for words in [
            "OceanBase Database Proxy 4.3.1 at 172.30.140.64:2883, process 76286",
            "logged in as root@sys of cluster obdemo", "session ids of version 1", "may end those of cluster obdemo",
            "1 of other clusters are listed", "1 of OceanBase's own logins are protected",
        ] {
            XCTAssertTrue(text.contains(words), "\(words) in: \(text)")
        }
        withExtendedLifetime((client, foreign, machinery)) {}
    }

    func testTellsTheVersionsOfSessionIDsApart() async throws {
        var settings = ODPDouble.Settings()
        settings.idVersion = 2
        let findings = try await findings(of: try ODPDouble(settings))
        XCTAssertTrue(try XCTUnwrap(findings.first).description.contains("session ids of version 2"))
    }

    func testSaysThatAnOrdinaryLoginSeesItselfOnly() async throws {
        let findings = try await findings(of: try ODPDouble(), user: "app@t1")
        XCTAssertEqual(findings.last?.subject, .proxyListPartial)
        XCTAssertEqual(findings.last?.severity, .problem)
        XCTAssertEqual(findings.last?.description.contains("root@sys#obdemo"), true)
    }

    func testSaysThatOtherUsersOfSysMayNotKill() async throws {
        let findings = try await findings(of: try ODPDouble(), user: "ops@sys")
        XCTAssertEqual(findings.last?.subject, .proxyKillRefused("KILL PROXYSESSION (root@sys)"))
        XCTAssertEqual(findings.last?.severity, .problem)
    }

    func testWarnsOfProxiesThatLetRootEndItsOwnTenantsSessionsOnly() async throws {
        for (version, isOld) in [("4.2.1", true), ("3.2.3.5", true), ("4.2.3", false), ("4.3.1.0-1", false)] {
            var settings = ODPDouble.Settings()
            settings.version = version
            let findings = try await findings(of: try ODPDouble(settings))
            XCTAssertEqual(
                findings.last?.description.contains("sessions of the tenant sys only"), isOld, version)
        }
    }

    func testNoticesSeveralProxiesBehindOneAddress() async throws {
        let odp = try ODPDouble()
        var settings = ODPDouble.Settings()
        settings.address += 1
        let other = try ODPDouble(settings)
        let proxy = try TCPProxy(to: odp.port)
        odp.set { settings in
            settings.fault = { statement in
                if statement == "SHOW PROCESSLIST" { proxy.leadNewConnections(to: other.port) }
                return nil
            }
        }
        let findings = try await findings(of: odp, port: proxy.port)
        XCTAssertEqual(findings.last?.subject, .severalProxies)
        XCTAssertEqual(findings.last?.severity, .problem)
        proxy.stop()
    }
}
