import COpenSSL

/// What an `SSL` reads from and writes to in place of a socket: the bytes that
/// have just come, and an array that takes what is to go.
///
/// Not OpenSSL's own memory BIO, which would copy all input and keep its largest
/// buffer for as long as the connection lives.
final class Wire {
    private var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What is to go to the other side.
    var output: [UInt8] = []

    /// A BIO for one `SSL`, which owns it from then on.
    ///
    /// It points to the wire without keeping it: whoever owns the `SSL` must
    /// keep the wire for longer.
    func bio() -> OpaquePointer? {
        guard let method = Self.method.pointer, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    /// Lets OpenSSL read `bytes` while `body` runs.
    func withInput<Result>(_ bytes: UnsafeRawBufferPointer, _ body: () -> Result) -> Result {
        input = bytes
        defer { input = UnsafeRawBufferPointer(start: nil, count: 0) }
        return body()
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, input.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        input = UnsafeRawBufferPointer(rebasing: input[count...])
        return count
    }

    private static func of(_ bio: OpaquePointer?) -> Wire? {
        BIO_get_data(bio).map { Unmanaged<Wire>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Never changed after its creation and never freed; nil if there was no memory for it.
    private struct Method: @unchecked Sendable {
        let pointer: OpaquePointer?
    }

    private static let method: Method = {
        let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire")
        BIO_meth_set_read(method) { bio, buffer, count in
            BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            let read = Wire.of(bio)?.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))) ?? 0
            if read > 0 { return Int32(read) }
            // Never the end, which is the socket's to tell: more may come.
            BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            return -1
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            Wire.of(bio)?.output.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return Method(pointer: method)
    }()
}
