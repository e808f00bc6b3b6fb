import Glibc
import XCTest

/// Waits until `condition` holds, for 20 seconds at most unless said otherwise.
///
/// - Parameter pause: between two tries; 250 ms or more where `INNODB_TRX` is read.
public func eventually(
    _ what: String, pause: Duration = .milliseconds(10), within limit: Duration = .seconds(20),
    file: StaticString = #filePath, line: UInt = #line,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            return XCTFail("\(what) did not happen in time", file: file, line: line)
        }
        try await Task.sleep(for: pause)
    }
}

/// Waits on this thread until `condition` holds, for 20 seconds at most.
///
/// - Returns: whether it holds.
public func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while try !condition() {
        guard ContinuousClock.now < deadline else { return false }
        usleep(1_000)
    }
    return true
}

/// Returns the error of type `Failure` that `body` throws, and fails the test otherwise.
public func assertThrows<Failure: Error>(
    _ type: Failure.Type, file: StaticString = #filePath, line: UInt = #line,
    _ body: () async throws -> some Any
) async throws -> Failure {
    do {
        _ = try await body()
    } catch let error as Failure {
        return error
    }
    XCTFail("nothing was thrown", file: file, line: line)
    throw NothingThrown()
}

private struct NothingThrown: Error {}
