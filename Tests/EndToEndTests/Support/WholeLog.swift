import Foundation
import TestSupport
import XCTest

extension KilldProcess {
    /// The log with the lines of all requests that were answered before, of whichever listener. They come behind the
    /// answers, but the line of one more comes behind them all.
    func wholeLog() async throws -> String {
        let mark = "Mark\(UUID().uuidString)"
        let client = try TestClient(port: port)
        client.send("GET /?Action=\(mark) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        _ = client.receive()
        try await eventually("the mark in the log") { try log.contains(mark) }
        return try log
    }
}
