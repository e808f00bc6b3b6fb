import HTTPServer
import XCTest

@testable import Webhooks

/// A message goes nowhere where it would do harm, unless the configuration names the place.
final class AddressRuleTests: XCTestCase {
    private func refusal(
        _ address: String, port: UInt16 = 443, isPlain: Bool = false, allowed: [String] = [], allowsPlain: Bool = false,
        listeners: [String] = ["127.0.0.1:8155"]
    ) throws -> AddressRule.Refusal? {
        let rule = AddressRule(
            allowed: allowed.compactMap { IPNetwork($0) }, allowsPlain: allowsPlain,
            listeners: listeners.compactMap { ListenAddress($0) },
            own: Set(["192.0.2.10", "2001:db8::10"].compactMap { IPAddress($0) }))
        return rule.refusal(of: try XCTUnwrap(IPAddress(address), address), port: port, isPlain: isPlain)
    }

    func testReceiversOnTheInternetInOnesOwnNetworksAndOnThisMachineAreReached() throws {
        for address in [
            "203.0.113.9", "10.0.0.8", "192.168.1.1", "172.16.0.1", "fd12::1", "2001:db8::9", "127.0.0.1", "::1",
        ] {
            XCTAssertNil(try refusal(address), address)
        }
    }

    func testWhatHandsOutAMachinesCredentialsIsNotReachedHoweverItIsWritten() throws {
        for address in [
            "169.254.169.254", "169.254.0.23", "100.100.100.200", "168.63.129.16", "fd00:ec2::254",
            "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "::169.254.169.254",
        ] { XCTAssertEqual(try refusal(address), .metadata, address) }
    }

    func testLinkLocalMulticastAndUnspecifiedAddressesAreNotReached() throws {
        for address in ["169.254.1.1", "fe80::1"] { XCTAssertEqual(try refusal(address), .linkLocal, address) }
        for address in ["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "255.255.255.255", "ff02::1"] {
            XCTAssertEqual(try refusal(address), .noHost, address)
        }
    }

    func testKilldsOwnListenersAreNotReached() throws {
        XCTAssertEqual(try refusal("127.0.0.1", port: 8_155), .killd)
        XCTAssertNil(try refusal("127.0.0.2", port: 8_155))
        XCTAssertNil(try refusal("203.0.113.9", port: 8_155))
        for listener in ["0.0.0.0:8155", "[::]:8155", "killd.example:8155"] {
            for own in ["127.0.0.1", "127.9.9.9", "::1", "192.0.2.10", "2001:db8::10"] {
                XCTAssertEqual(try refusal(own, port: 8_155, listeners: [listener]), .killd, "\(own) \(listener)")
            }
        }
        XCTAssertEqual(try refusal("192.0.2.10", port: 8_155, listeners: ["192.0.2.10:8155"]), .killd)
    }

    func testWhatTheConfigurationNamesIsReached() throws {
        XCTAssertNil(try refusal("169.254.169.254", allowed: ["169.254.169.254"]))
        XCTAssertNil(try refusal("169.254.1.1", allowed: ["169.254.0.0/16"]))
        XCTAssertNil(try refusal("127.0.0.1", port: 8_155, allowed: ["127.0.0.1"]))
        XCTAssertEqual(try refusal("169.254.169.254", allowed: ["169.254.169.253"]), .metadata)
    }

    func testPlainHTTPStaysOnThisMachineUnlessItIsSaidToBeMeant() throws {
        XCTAssertNil(try refusal("127.0.0.1", isPlain: true))
        XCTAssertNil(try refusal("::1", isPlain: true))
        XCTAssertEqual(try refusal("10.0.0.8", isPlain: true), .plain)
        XCTAssertEqual(try refusal("10.0.0.8", isPlain: true, allowed: ["10.0.0.8"]), .plain)
        XCTAssertNil(try refusal("10.0.0.8", isPlain: true, allowsPlain: true))
    }
}
