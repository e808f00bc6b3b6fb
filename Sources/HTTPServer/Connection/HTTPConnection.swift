/// The protocol of one connection: what to do, given what happened.
///
/// A pure value: events come in with the time at which they happened, and
/// ``next(date:at:)`` says what the owner of the socket has to do. Requests are
/// responded to one after the other in their order. While bytes of the client wait
/// to be read, no more are wanted: a client that does not take its responses
/// is not read from.
struct HTTPConnection: Sendable {
    enum Action: Sendable {
        /// Call the handler; ``respond(with:date:at:)`` takes what it returns.
        case handle(HTTPRequest)
        /// Write a line for the log: the client is rejected.
        case report(HTTPProtocolError)
        /// Send bytes of ``output``; ``sent(_:at:)`` takes how many went out.
        case send
        /// End the sending half of the socket.
        case shutDownSending
        /// Close the socket. Nothing follows.
        case close
        /// Wait for an event, but until ``deadline`` at most. It comes along, since
        /// asking for it would copy the connection, for every request.
        case wait(until: MonotonicTime?)
    }

    private enum State {
        /// No byte of the next request has come.
        case idle(until: MonotonicTime)
        case readingHead(until: MonotonicTime)
        case readingBody(TransferProgress)
        /// The client is to be told, and then to go.
        case rejecting(HTTPProtocolError, isHead: Bool, head: [UInt8])
        /// The client is to get a response without regard to its body, and then to go.
        case declining(HTTPResponse, isHead: Bool)
        /// The request is complete and the handler has not been called.
        case ready(HTTPRequestParser.Output)
        case handling(Handling)
        /// The last response is in `output`.
        case finishing
        /// All is sent; the client's bytes are dropped until it ends the
        /// connection, so that they cannot cause a reset that would take the
        /// response from it.
        case lingering(until: MonotonicTime, bytesLeft: Int)
        case closed
    }

    /// What is to be known of a request while the handler has it.
    private struct Handling {
        let since: MonotonicTime
        let isHead: Bool
        var isPersistent: Bool
    }

    private(set) var peer: Peer
    private let limits: HTTPLimits
    private let allowance: HTTPServer.Allowance?
    private let rejection: HTTPServer.Rejection
    private var parser: HTTPRequestParser
    private var state: State
    /// What the client sent behind the request that is being handled, from
    /// `unreadStart` on.
    private var unread: [UInt8] = []
    private var unreadStart = 0
    private var clientHasEnded = false
    private var isDraining = false

    private(set) var output: OutputBuffer

    /// The bytes of output from which on nothing more is read and no further
    /// request handled before the client has taken them.
    private static let mostOutputBeforeSending = 16 * 1024

    init(
        limits: HTTPLimits, allowance: HTTPServer.Allowance? = nil,
        rejection: @escaping HTTPServer.Rejection = { error, _ in error.response }, peer: Peer, at now: MonotonicTime
    ) {
        self.limits = limits
        self.allowance = allowance
        self.rejection = rejection
        self.peer = peer
        self.parser = HTTPRequestParser(limits: limits, asksForLongBodies: allowance != nil, peer: peer)
        self.state = .idle(until: now + limits.headTimeout)
        self.output = OutputBuffer(at: now)
    }

    init(limits: HTTPLimits, remoteAddress: String, at now: MonotonicTime) {
        self.init(limits: limits, peer: Peer(address: remoteAddress), at: now)
    }

    /// A proxy has told whose the connection is, before anything came of it.
    mutating func handOver(to peer: Peer) {
        self.peer = peer
        parser = HTTPRequestParser(limits: limits, asksForLongBodies: allowance != nil, peer: peer)
    }

    // MARK: What the owner of the socket may ask

    /// Whether bytes of the client are wanted now.
    var wantsInput: Bool { !clientHasEnded && unread.isEmpty && output.bytes.count < Self.mostOutputBeforeSending }

    /// The time at which ``timeOut(at:)`` is due, unless something happens before.
    var deadline: MonotonicTime? {
        let ofState: MonotonicTime? =
            switch state {
            // Idle only counts when the client has taken its responses.
            case .idle where !output.isEmpty: nil
            case .idle(let until), .readingHead(let until), .lingering(let until, _): until
            case .readingBody(let progress):
                progress.deadline(within: limits.bodyStallTimeout, total: limits.bodyTimeout)
            case .handling(let handling): handling.since + limits.handlerTimeout
            case .ready, .rejecting, .declining, .finishing, .closed: nil
            }
        guard let ofOutput = output.deadline(limits) else { return ofState }
        return ofState.map { min($0, ofOutput) } ?? ofOutput
    }

    /// Bytes held of what the client sent and of the response to it, but not of
    /// the request that the handler has.
    var heldBytes: Int {
        let ofRequest = if case .ready(let parsed) = state { parsed.request.heldBytes } else { 0 }
        return parser.heldBytes + unread.capacity + output.heldBytes + ofRequest
    }

    // MARK: Events

    /// Bytes came from the client.
    mutating func receive(_ input: Span<UInt8>, at now: MonotonicTime) {
        switch state {
        case .idle, .readingHead, .readingBody:
            var index = 0
            read(input, from: &index, at: now)
            if case .ready = state, index < input.count { unread.append(input.extracting(index..<input.count)) }
        case .ready, .handling:
            unread.append(input)
        case .lingering(let until, let bytesLeft):
            state = input.count < bytesLeft ? .lingering(until: until, bytesLeft: bytesLeft - input.count) : .closed
        case .rejecting, .declining, .finishing, .closed:
            break
        }
    }

    /// The client sends no more. What it has asked for still gets a response.
    mutating func receiveEnd() {
        clientHasEnded = true
        switch state {
        case .idle, .readingHead, .readingBody: state = output.isEmpty ? .closed : .finishing
        case .lingering: state = .closed
        case .ready, .handling, .rejecting, .declining, .finishing, .closed: break
        }
    }

    /// The connection is broken, or is to be: nothing more can be sent or received.
    mutating func abort() { state = .closed }

    /// The handler has responded. Does nothing if the connection gave up waiting
    /// for it.
    mutating func respond(with response: HTTPResponse, date: HTTPDate, at now: MonotonicTime) {
        guard case .handling(let handling) = state else { return }
        guard response.delivery != .nothing else { return abort() }
        let isLast =
            !handling.isPersistent || isDraining || clientHasEnded && unread.isEmpty || response.delivery != .whole
        output.append(response, isHead: handling.isHead, isLast: isLast, date: date, at: now)
        if isLast {
            finish()
        } else {
            state = .idle(until: now + limits.keepAliveTimeout)
            readOn(at: now)
        }
    }

    /// `count` bytes of ``output`` went out.
    mutating func sent(_ count: Int, at now: MonotonicTime) {
        guard output.sent(count, at: now, limits) else { return }
        if case .idle = state { state = .idle(until: now + limits.keepAliveTimeout) }
    }

    /// The client is told why, and the connection ends.
    mutating func reject(_ error: HTTPProtocolError) {
        let isHead =
            switch state {
            case .handling(let handling): handling.isHead
            case .ready(let parsed): parsed.request.method == "HEAD"
            default: parser.isReadingHead
            }
        let head = parser.headSoFar
        parser.reset()
        state = .rejecting(error, isHead: isHead, head: head)
    }

    private mutating func decline(_ response: HTTPResponse) {
        let isHead = parser.isReadingHead
        parser.reset()
        state = .declining(response, isHead: isHead)
    }

    /// The connection ends without a further word of HTTP.
    mutating func finish() {
        state = .finishing
        unread = []
        unreadStart = 0
    }

    /// All connections together hold too much, this one more than its share.
    mutating func rejectForLackOfMemory() {
        switch state {
        case .idle, .readingHead, .readingBody, .ready:
            reject(HTTPProtocolError(.serviceUnavailable, "the server holds too many requests"))
        case .handling(var handling):
            // It gets its response, but what the client sent behind it is not.
            handling.isPersistent = false
            state = .handling(handling)
            unread = []
            unreadStart = 0
        case .rejecting, .declining, .finishing, .lingering, .closed: break
        }
    }

    /// The time of ``deadline`` has come.
    mutating func timeOut(at now: MonotonicTime) {
        guard let deadline, deadline <= now else { return }
        if let ofOutput = output.deadline(limits), ofOutput <= now {
            state = .closed
            return
        }
        switch state {
        case .idle, .lingering: state = .closed
        case .readingHead: reject(HTTPProtocolError(.requestTimeout, "the request head took too long"))
        case .readingBody: reject(HTTPProtocolError(.requestTimeout, "the request body took too long"))
        case .handling: reject(HTTPProtocolError(.serviceUnavailable, "the answer took too long"))
        case .ready, .rejecting, .declining, .finishing, .closed: break
        }
    }

    /// No further request is wanted. One that has begun still gets its response.
    mutating func drain() {
        isDraining = true
        if case .idle = state { state = output.isEmpty ? .closed : .finishing }
    }

    // MARK: Actions

    /// What to do now. Asked again after every action until the response is to
    /// wait or to close.
    mutating func next(date: HTTPDate, at now: MonotonicTime) -> Action {
        switch state {
        case .closed:
            return .close
        case .rejecting(let error, let isHead, let head):
            output.append(rejection(error, head), isHead: isHead, isLast: true, date: date, at: now)
            finish()
            return .report(error)
        case .declining(let response, let isHead):
            output.append(response, isHead: isHead, isLast: true, date: date, at: now)
            finish()
            return .send
        case .ready(let parsed) where output.bytes.count < Self.mostOutputBeforeSending:
            state = .handling(
                Handling(
                    since: now, isHead: parsed.request.method == "HEAD", isPersistent: parsed.isPersistent))
            return .handle(parsed.request)
        case _ where !output.isEmpty:
            return .send
        case .finishing where clientHasEnded:
            state = .closed
            return .close
        case .finishing:
            state = .lingering(until: now + limits.lingerTimeout, bytesLeft: limits.lingerBytes)
            return .shutDownSending
        default:
            return .wait(until: deadline)
        }
    }

    // MARK: Reading

    private mutating func readOn(at now: MonotonicTime) {
        let input = unread
        var index = unreadStart
        read(input.span, from: &index, at: now)
        unreadStart = index
        if index == input.count {
            unread = []
            unreadStart = 0
        }
        guard clientHasEnded else { return }
        switch state {
        case .idle, .readingHead, .readingBody: finish()
        default: break
        }
    }

    private mutating func read(_ input: Span<UInt8>, from index: inout Int, at now: MonotonicTime) {
        let start = index
        do throws(HTTPProtocolError) {
            while true {
                if let parsed = try parser.read(input, from: &index) {
                    state = .ready(parsed)
                    return
                }
                guard let allowance, let request = parser.requestWithLongBody else { break }
                let allowed = allowance(request)
                guard parser.allow(bodyBytes: allowed.bytes) else { return decline(allowed.rejection()) }
            }
            noteProgress(of: index - start, at: now)
        } catch {
            reject(error)
        }
    }

    private mutating func noteProgress(of count: Int, at now: MonotonicTime) {
        switch (parser.position, state) {
        case (.start, _), (.head, .readingHead):
            break
        case (.head, _):
            state = .readingHead(until: now + limits.headTimeout)
        case (.body, .readingBody(var progress)):
            progress.note(count, at: now, within: limits.bodyStallTimeout, rate: limits.minimumRate)
            state = .readingBody(progress)
        case (.body, _):
            state = .readingBody(TransferProgress(at: now))
            if parser.awaitsContinue { output.appendContinue(at: now) }
        }
    }
}
