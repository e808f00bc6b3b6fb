import COpenSSL
import FileDescriptors
import Glibc

/// A certificate of X.509.
final class Certificate {
    let pointer: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }

    /// What a person should know although the certificate can be used; nil if it
    /// is valid now.
    var warning: String? {
        // 0 is an error, for a time that cannot be read.
        if X509_cmp_current_time(X509_get0_notAfter(pointer)) <= 0 {
            return "expired on \(Self.day(X509_get0_notAfter(pointer)))"
        }
        if X509_cmp_current_time(X509_get0_notBefore(pointer)) >= 0 {
            return "is not valid before \(Self.day(X509_get0_notBefore(pointer)))"
        }
        return nil
    }

    private static func day(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        var parts = tm()
        guard ASN1_TIME_to_tm(time, &parts) == 1 else { return "an unreadable date" }
        let digits = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday))"
    }
}

/// A private key.
final class PrivateKey {
    let pointer: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }
}

/// A file with certificates or a key, read whole.
struct PEMFile: ~Copyable {
    private let content: MemoryBIO
    private let path: String
    private let role: TLSError.Role

    /// The most bytes of a file: far more than all authorities of a system take.
    private static let mostBytes = 4 * 1024 * 1024

    init(_ path: String, role: TLSError.Role) throws(TLSError) {
        self.path = path
        self.role = role
        content = try MemoryBIO(Self.read(path, role: role))
    }

    private static func read(_ path: String, role: TLSError.Role) throws(TLSError) -> [UInt8] {
        do throws(FileError) {
            let file = try FileDescriptor(opening: path, flags: O_RDONLY)
            return try file.contents(mostBytes: mostBytes)
        } catch {
            switch error {
            case .tooLarge: throw TLSError(role, "the file \(path) is larger than \(mostBytes) bytes")
            case .system: throw TLSError(role, "the file \(path) cannot be read: \(error.words)")
            }
        }
    }

    /// All certificates of the file, at least one.
    consuming func certificates() throws(TLSError) -> [Certificate] {
        var certificates: [Certificate] = []
        while true {
            ErrorQueue.clear()
            guard let pointer = PEM_read_bio_X509(content.pointer, nil, nil, nil) else { break }
            certificates.append(Certificate(pointer))
        }
        guard ErrorQueue.endsWithLackOfPEM else {
            let name = "certificate \(certificates.count + 1) in the file \(path)"
            throw TLSError(role, "\(name) is damaged: \(ErrorQueue.takeReason())")
        }
        guard !certificates.isEmpty else { throw TLSError(role, "the file \(path) holds no certificate in PEM form") }
        return certificates
    }

    /// The first private key of the file.
    consuming func privateKey() throws(TLSError) -> PrivateKey {
        var wantsPassphrase = false
        ErrorQueue.clear()
        let pointer = withUnsafeMutablePointer(to: &wantsPassphrase) { wantsPassphrase in
            PEM_read_bio_PrivateKey(
                content.pointer, nil,
                { _, _, _, wantsPassphrase in
                    wantsPassphrase?.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, wantsPassphrase)
        }
        if let pointer { return PrivateKey(pointer) }
        let reason = ErrorQueue.takeReason()
        guard !wantsPassphrase else {
            throw TLSError(
                role,
                "the key in the file \(path) is encrypted, and there is nobody to ask for its passphrase; "
                    + "take it off with: openssl pkey -in ENCRYPTED -out PLAIN")
        }
        throw TLSError(role, "the file \(path) holds no private key in PEM form that OpenSSL can read: \(reason)")
    }
}

/// Bytes for OpenSSL's readers.
private struct MemoryBIO: ~Copyable {
    let pointer: OpaquePointer

    init(_ bytes: [UInt8]) throws(TLSError) {
        guard let pointer = BIO_new(BIO_s_mem()) else { throw TLSError(nil, ErrorQueue.takeReason()) }
        guard bytes.isEmpty || BIO_write(pointer, bytes, Int32(bytes.count)) == bytes.count else {
            BIO_free(pointer)
            throw TLSError(nil, ErrorQueue.takeReason())
        }
        self.pointer = pointer
    }

    deinit { BIO_free(pointer) }
}
