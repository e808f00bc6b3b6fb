import StandInKeys
import RequestSigning
import ActionDispatch
import DASAPI
import HTTPServer
import RequestDispatch
import ServedAPIs
import SessionKill
import TencentCloudErrors

/// What the listeners of a stand-in answer: each request in the world whose key it says it is signed with.
///
/// Nothing else decides about that. Whose key is nobody's comes to the default world, which has no such account.
public struct Reception: Sendable {
    private let worlds: Worlds

    public init(_ worlds: Worlds) { self.worlds = worlds }

    public func answer(_ request: HTTPRequest, at api: CloudAPI) -> PendingResponse {
        // A form may have to be looked through for the key: beside the event loop.
        request.headers.contains("Authorization")
            ? find(request, at: api) : .offloaded { find(request, at: api) }
    }

    private func find(_ request: HTTPRequest, at api: CloudAPI) -> PendingResponse {
        let name = request.claimedWorld
        if let world = worlds.existing(name) { return world.answer(request, at: api) }
        return .async {
            do throws(WorldError) {
                return try await worlds.world(name).answer(request, at: api).response()
            } catch {
                return await refuse(request, at: api, error)
            }
        }
    }

    /// How long the body may be that belongs to this head.
    public func allowance(of head: HTTPRequest, at api: CloudAPI) -> BodyAllowance {
        guard let world = worlds.existing(head.claimedWorld) else {
            // Whether there is such a key is known when the world is made. Longer ones HTTP rejects itself.
            return BodyAllowance(bytes: HTTPLimits().bodyBytes) { HTTPResponse(status: .contentTooLarge) }
        }
        return switch api {
        case .dbbrain: world.apis.allowance(of: head)
        case .das: world.apis.allowanceDAS(of: head)
        }
    }

    /// The response to a request that HTTP rejects.
    public static func refusal(of error: HTTPProtocolError, head: [UInt8], at api: CloudAPI) -> HTTPResponse {
        switch api {
        case .dbbrain: APIs.refusal(of: error, head: head)
        case .das: APIs.refusalDAS(of: error)
        }
    }

    /// Says in the API's words why there is no world for the request.
    private func refuse(_ request: HTTPRequest, at api: CloudAPI, _ error: WorldError) async -> HTTPResponse {
        guard let world = try? await worlds.world(.default) else {
            return HTTPResponse(status: .serviceUnavailable, body: Array("\(error)\n".utf8))
        }
        switch api {
        case .dbbrain:
            return world.apis.dispatcher.reject(
                request, with: ScriptedRejection(.requestLimitExceeded, message: "\(error)"))
        case .das:
            return world.apis.dasDispatcher.reject(
                request, with: .serviceUnavailable(cause: ServerError(.other, "\(error)")))
        }
    }
}

extension HTTPRequest {
    var claimedWorld: WorldName {
        let id = Dispatcher.claimedKeyID(of: self) ?? DASDispatcher.claimedKeyID(of: self)
        return id.flatMap(StandInKey.init(id:))?.world ?? .default
    }
}

extension PendingResponse {
    /// The response itself, waited for.
    func response() async -> HTTPResponse {
        switch self {
        case .immediate(let response): response
        case .offloaded(let find): await find().response()
        case .async(let work): await work()
        }
    }
}
