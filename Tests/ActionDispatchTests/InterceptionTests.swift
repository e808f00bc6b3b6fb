import Accounts
import ActionDispatch
import HTTPServer
import RequestDispatch
import TencentCloudErrors
import XCTest

/// What an interceptor makes of calls, and of which.
final class InterceptionTests: XCTestCase {
    func testWhatItThrowsIsAnsweredAndNothingIsDone() async throws {
        let world = World(interceptor: { action, account in
            XCTAssertEqual(account.name, "ci")
            return Interception(before: { throw TencentCloudError.planNotFound }, deliver: { $0 })
        })
        let response = await world.send()
        XCTAssertEqual(try response.error()?.code, "ResourceNotFound")
        XCTAssertEqual(world.calls, 0)
        let change = await world.send(headers: ["X-TC-Action": "ChangeText"], body: #"{"Text":"y"}"#)
        XCTAssertEqual(try change.error()?.code, "ResourceNotFound")
        XCTAssertEqual(world.changes, [])
    }

    func testTheWorkIsDoneWhoseResponseItHoldsBack() async throws {
        let world = World(interceptor: { action, _ in
            guard action == "ChangeText" else { return nil }
            return Interception(deliver: { response in
                var response = response
                response.delivery = .nothing
                return response
            })
        })
        let change = await world.send(headers: ["X-TC-Action": "ChangeText"], body: #"{"Text":"y"}"#)
        XCTAssertEqual(change.delivery, .nothing)
        XCTAssertEqual(world.changes, ["ChangeText y"])
        let other = await world.send()
        XCTAssertEqual(other.delivery, .whole)
        XCTAssertEqual(try other.text(), "x")
    }

    func testRejectionsOfTheWorkAreDeliveredSoToo() async throws {
        let world = World(interceptor: { _, _ in
            Interception(deliver: { _ in HTTPResponse(status: .badGateway) })
        })
        let response = await world.send(body: #"{"Text":"refuse"}"#)
        XCTAssertEqual(response.status, .badGateway)
        XCTAssertEqual(world.calls, 1)
    }

    func testARequestThatAGateRejectsNeverMeetsIt() async throws {
        let world = World(
            limit: 1,
            interceptor: { _, _ in
                Interception(before: { throw TencentCloudError.planNotFound })
            })
        let forged = await world.response(to: try world.signed(secretKey: "another"))
        XCTAssertEqual(try forged.error()?.code, "AuthFailure.SignatureFailure")
        let unknown = await world.send(headers: ["X-TC-Action": "NoSuchText"])
        XCTAssertEqual(try unknown.error()?.code, "InvalidAction")
        let malformed = await world.send(body: #"{"Text":1}"#)
        XCTAssertEqual(try malformed.error()?.code, "InvalidParameter")
        let tooMany = await world.send()
        XCTAssertEqual(try tooMany.error()?.code, "RequestLimitExceeded")
    }
}
