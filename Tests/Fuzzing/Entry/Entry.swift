import Glibc

/// What libFuzzer calls. The environment says which target is fuzzed.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target.check(Array(UnsafeBufferPointer(start: start, count: count)), isThorough: false)
    } catch {
        say("finding of \(target.rawValue): \(error)")
        abort()
    }
    return 0
}

private let target: FuzzTarget = {
    guard let name = getenv("KILLD_FUZZ_TARGET"), let target = FuzzTarget(rawValue: String(cString: name)) else {
        say("KILLD_FUZZ_TARGET is none of \(FuzzTarget.allCases.map(\.rawValue))")
        exit(2)
    }
    return target
}()

private func say(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}
