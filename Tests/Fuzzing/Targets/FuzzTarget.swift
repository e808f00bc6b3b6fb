import SeededRandom
import Glibc

/// What takes bytes from outside, and what must hold for all of them.
///
/// Used twice: the tests replay the corpus through it, and `Tests/Fuzzing/run`
/// builds it into a libFuzzer program.
enum FuzzTarget: String, CaseIterable {
    /// The bytes of a connection.
    case http = "HTTP"
    /// A query or form.
    case form = "Form"
    /// The body of a JSON request.
    case json = "JSON"
    /// A whole request with its signature; without a line end, the value of
    /// `Authorization` alone.
    case signing = "Signing"
    /// The same for DAS.
    case das = "DAS"
    /// Lines of a log or export, in which heads of an audit are searched; a whole
    /// JSON value; the payload of an entry.
    case audit = "Audit"

    /// - Parameter isThorough: if not, what takes most of the time is left to
    ///   chance, since as many inputs meet it in a second all the same.
    /// - Throws: ``Finding`` where something does not hold.
    func check(_ bytes: [UInt8], isThorough: Bool) throws {
        try property(bytes, isThorough: isThorough)
        var random = SplitMix64(of: bytes)
        if random.next().isMultiple(of: 64) || isThorough { try checkTime(of: bytes, using: &random) }
    }

    private func property(_ bytes: [UInt8], isThorough: Bool) throws {
        switch self {
        case .http: try HTTPTarget.check(bytes, isThorough: isThorough)
        case .form: try FormTarget.check(bytes)
        case .json: try JSONTarget.check(bytes)
        case .signing: try SigningTarget.check(bytes)
        case .das: try DASTarget.check(bytes)
        case .audit: try AuditTarget.check(bytes)
        }
    }

    /// What a server does with the bytes, and nothing besides.
    private func read(_ bytes: [UInt8]) {
        switch self {
        case .http: HTTPTarget.read(bytes)
        case .form: FormTarget.read(bytes)
        case .json: JSONTarget.read(bytes)
        case .signing: SigningTarget.read(bytes)
        case .das: DASTarget.read(bytes)
        case .audit: AuditTarget.read(bytes)
        }
    }

    // MARK: Time

    /// What takes more than linear time shows only at some length, so the input
    /// is made about as long as the head of a request may be.
    private func checkTime(of bytes: [UInt8], using random: inout SplitMix64) throws {
        let long = bytes.stretched(to: Self.longLength, using: &random)
        var time = Duration.zero
        for _ in 0..<Self.mostTries {
            let start = Self.processorTime()
            read(long)
            time = Self.processorTime() - start
            if time < Self.longestTime { return }
        }
        try demand(false, "\(long.count) bytes took \(time): \(text(long.prefix(300)))")
    }

    /// What the host of a virtual machine gives to others counts as the thread's time, so once proves nothing.
    private static let mostTries = 5

    private static let longLength = 36_000
    #if DEBUG
        private static let longestTime = Duration.seconds(2)
    #else
        private static let longestTime = Duration.milliseconds(50)
    #endif

    /// Of this thread: others on the machine must not make a finding.
    private static func processorTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// Something that must hold and does not.
struct Finding: Error, CustomStringConvertible {
    let description: String
}

func demand(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    guard !condition else { return }
    throw Finding(description: message())
}

/// Bytes for a message, in ASCII.
func text(_ bytes: some Collection<UInt8>) -> String {
    let scalars = bytes.map { Unicode.Scalar($0).escaped(asASCII: true) }
    return "\"\(scalars.joined())\""
}

extension SplitMix64 {
    /// Seeded with the input, by FNV-1a: what is drawn for an input is the same in every run.
    init(of bytes: [UInt8]) {
        self.init(seed: bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0100_0000_01B3 })
    }
}

extension [UInt8] {
    /// Cuts the bytes into pieces of 1 to 40 bytes.
    func pieces(using random: inout SplitMix64) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < count {
            let end = Swift.min(count, start + Int.random(in: 1...40, using: &random))
            pieces.append(self[start..<end])
            start = end
        }
        return pieces
    }

    /// The bytes with something in them again and again: a part of them, mostly
    /// a short one, or two combining marks, which `String` puts into order before
    /// it compares or hashes, in time quadratic in their number.
    fileprivate func stretched(to length: Int, using random: inout SplitMix64) -> [UInt8] {
        guard count < length else { return self }
        let start = Int.random(in: 0...count, using: &random)
        let longest = Bool.random(using: &random) ? 8 : count
        let end = Int.random(in: start...Swift.min(count, start + longest), using: &random)
        let insertsMarks = start == end || Int.random(in: 0..<3, using: &random) == 0
        let part = insertsMarks ? Array("\u{301}\u{323}".utf8) : Array(self[start..<end])
        var stretched = Array(self[..<start])
        // Not joined(), which goes from byte to byte: that took more time than all the checks.
        stretched.reserveCapacity(length)
        for _ in 0..<((length - count) / part.count) { stretched += part }
        return stretched + self[start...]
    }
}
