import RequestSigning
import ActionDispatch
import DASAPI
import HTTPServer
import RequestDispatch
import Synchronization
import Text

/// The faults of a world, and what they make of its calls.
public final class Faults: Sendable {
    private let table = Mutex(FaultTable())
    private let actions: [CloudAPI: [String]]
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - actions: the names of those that there are.
    ///   - sleep: waits by the clock of the world.
    public init(actions: [CloudAPI: [String]], sleep: @escaping @Sendable (Duration) async throws -> Void) {
        self.actions = actions
        self.sleep = sleep
    }

    /// Arms a fault for the next calls of an action that meet no other one.
    ///
    /// - Throws: ``FaultRefusal``; nothing is armed then.
    @discardableResult
    public func arm(_ request: FaultRequest) throws(FaultRefusal) -> ArmedFault {
        guard let api = actions.first(where: { $0.value.contains(where: request.action.isSame) })?.key else {
            throw .unknownAction(request.action)
        }
        guard FaultRequest.callLimits.contains(request.calls) else { throw .calls(request.calls) }
        let fault = try request.fault(of: api)
        return table.withLock { $0.arm(fault, for: request.action, of: api, calls: request.calls) }
    }

    public var armed: [ArmedFault] { table.withLock(\.armed) }

    public func disarm() { table.withLock { $0.disarm() } }

    /// What DBbrain's dispatcher asks.
    public var interceptor: Interceptor<any Error> {
        { [self] action, _ in
            intercept(action) { rejection in
                guard case .dbbrain(let code)? = rejection else { return PreventedByFault() }
                return ScriptedRejection(code)
            }
        }
    }

    /// What DAS's dispatcher asks.
    public var dasInterceptor: Interceptor<DASError> {
        { [self] action, _ in
            intercept(action) { rejection in
                guard case .das(let error)? = rejection else { return .internalError(cause: PreventedByFault()) }
                return error
            }
        }
    }

    private func intercept<Failure>(
        _ action: String, _ failure: @escaping @Sendable (Rejection?) -> Failure
    ) -> Interception<Failure>? {
        guard let fault = table.withLock({ $0.take(for: action) }) else { return nil }
        return Interception(
            before: { [sleep] () throws(Failure) in
                // Only the end of the stand-in cuts a wait short.
                if fault.delay > .zero { try? await sleep(fault.delay) }
                guard fault.preventsTheEffect else { return }
                if case .rejection(let rejection) = fault.kind { throw failure(rejection) }
                throw failure(nil)
            },
            deliver: fault.delivered)
    }
}

extension Fault {
    /// What is sent in place of a response.
    @Sendable fileprivate func delivered(_ response: HTTPResponse) -> HTTPResponse {
        var response = response
        switch kind {
        case .none, .rejection: break
        case .cut: response.delivery = .nothing
        case .truncated(let count): response.delivery = .cut(afterBodyBytes: count)
        case .badGateway: response = .badGateway
        }
        return response
    }
}

extension HTTPResponse {
    fileprivate static var badGateway: HTTPResponse {
        HTTPResponse(
            status: .badGateway, headers: ["Content-Type": "text/html"],
            body: Array("<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n".utf8))
    }
}
