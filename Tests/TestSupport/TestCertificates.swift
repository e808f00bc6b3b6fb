import Foundation
import XCTest

/// Certificates for one test, made by the `openssl` program in a folder that is removed at its owner's end.
///
/// There is an authority and, of it, a server's certificate for 127.0.0.1 and localhost.
public final class TestCertificates: Sendable {
    public enum Key: Sendable {
        case rsa(bits: Int)
        case p256

        fileprivate var options: [String] {
            switch self {
            case .rsa(let bits): ["-newkey", "rsa:\(bits)"]
            case .p256: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
            }
        }
    }

    /// A certificate and its key.
    public struct Pair: Sendable {
        public let certificate: String
        public let key: String
    }

    private let folder: TestFolder
    public let authority: Pair
    public let server: Pair

    public init() throws {
        folder = try TestFolder()
        authority = Self.pair("authority", in: folder)
        server = Self.pair("server", in: folder)
        try make(authority, ["-subj", "/CN=authority"])
        try make(server, ["-subj", "/CN=server"] + Self.forLoopback + issued)
    }

    public var folderPath: String { folder.path }

    public func file(_ name: String) -> String { folder.file(name) }

    /// Another certificate of the authority, or one that is signed by itself.
    public func make(_ name: String, key: Key = .p256, isIssued: Bool = true) throws -> Pair {
        let pair = Self.pair(name, in: folder)
        try make(pair, ["-subj", "/CN=\(name)"] + Self.forLoopback + (isIssued ? issued : []), key: key)
        return pair
    }

    /// The server's key, and a certificate for it that ended yesterday.
    public func makeExpired() throws -> Pair {
        let pair = Pair(certificate: file("expired.pem"), key: server.key)
        let request = file("expired.csr")
        try Self.openSSL(["req", "-new", "-key", server.key, "-subj", "/CN=expired", "-out", request])
        try Self.openSSL(
            ["x509", "-req", "-in", request, "-signkey", server.key, "-days", "-1", "-out", pair.certificate])
        return pair
    }

    /// The server's key, encrypted in the form of today or of old.
    public func makeEncryptedKey(traditional: Bool) throws -> String {
        let path = file("encrypted-\(traditional).key")
        let form = traditional ? ["-traditional"] : []
        try Self.openSSL(["pkey", "-in", server.key, "-aes128", "-passout", "pass:secret", "-out", path] + form)
        return path
    }

    private static let forLoopback = [
        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
    ]

    private var issued: [String] { ["-CA", authority.certificate, "-CAkey", authority.key] }

    private static func pair(_ name: String, in folder: TestFolder) -> Pair {
        Pair(certificate: folder.file("\(name).pem"), key: folder.file("\(name).key"))
    }

    private func make(_ pair: Pair, _ options: [String], key: Key = .p256) throws {
        try Self.openSSL(
            ["req", "-x509", "-nodes", "-days", "2", "-keyout", pair.key, "-out", pair.certificate]
                + key.options + options)
    }

    private static func openSSL(_ arguments: [String]) throws {
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = ["openssl"] + arguments
        openssl.standardError = FileHandle.nullDevice
        openssl.standardOutput = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        guard openssl.terminationStatus == 0 else { throw XCTSkip("the openssl program is missing or fails") }
    }
}
