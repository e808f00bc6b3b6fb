import RequestSigning
import HTTPServer
import Parameters
import ScriptedServers
import SessionKill
import Text

extension ControlPages {
    struct RequestsRequest: WorldRequest {
        var World: String?
        var Action: String?
        var Account: String?
        var Code: String?
        var After: Int?
        var Limit: Int?
    }

    struct RequestItem: Encodable, Sendable {
        var Number: Int
        var At: String
        var API: String
        var Action: String?
        var Account: String?
        var RequestId: String?
        var Parameters: ParameterTree?
        var Answered: Bool
        var Status: Int?
        var Code: String?
        var Cut: Bool

        init(_ request: LoggedRequest) {
            let known = request.known
            Number = request.number
            At = request.at.controlText
            API = request.api.rawValue
            Action = known.action
            Account = known.account
            RequestId = known.requestID
            Parameters = request.parameters
            Answered = known.isAnswered
            Status = known.status?.rawValue
            Code = known.code
            Cut = known.isCut
        }
    }

    struct RequestList: Encodable, Sendable {
        /// All that match, also those that are not in the list.
        var Count: Int
        var Requests: [RequestItem]
    }

    struct SessionsRequest: WorldRequest {
        var World: String?
        var Instance: String?
    }

    struct SessionItem: Encodable, Sendable {
        var ID: UInt32
        var User: String
        var Host: String
        var DB: String?
        var Command: String
        var Time: Int64?
        var State: String?
        var Info: String?

        init(_ session: Session) {
            ID = session.id.rawValue
            User = session.identity.user
            Host = session.identity.host
            DB = session.details.database
            Command = session.details.command
            Time = session.details.seconds
            State = session.details.state
            Info = session.details.statement
        }
    }

    struct InstanceItem: Encodable, Sendable {
        var Instance: String
        var Sessions: [SessionItem]
    }

    struct SessionList: Encodable, Sendable {
        var Instances: [InstanceItem]
    }

    private static let listLimits = 1...1_000

    static func ofObservations(_ worlds: Worlds) -> [ControlPage] {
        [
            ControlPage("GET", "/requests", RequestsRequest.self, in: worlds) { request, world in
                let limit = request.Limit ?? 100
                guard listLimits.contains(limit) else {
                    throw ControlError(.badRequest, "Limit: expected a whole number from 1 to 1000, found \(limit)")
                }
                let found = world.requests.requests(
                    RequestQuery(
                        action: request.Action, account: request.Account, code: request.Code,
                        after: request.After ?? 0))
                return RequestList(Count: found.count, Requests: found.prefix(limit).map(RequestItem.init))
            },
            ControlPage("GET", "/sessions", SessionsRequest.self, in: worlds) { request, world in
                var instances: [InstanceItem] = []
                for (id, server) in world.servers.sorted(by: { $0.key < $1.key }) {
                    guard request.Instance.map(id.isSame) ?? true else { continue }
                    let sessions = await server.sessions().sorted { $0.id < $1.id }
                    instances.append(InstanceItem(Instance: id, Sessions: sessions.map(SessionItem.init)))
                }
                if let wanted = request.Instance, instances.isEmpty {
                    let names = world.servers.keys.sorted().joined(separator: ", ")
                    throw ControlError(.notFound, "Instance: there is no \(wanted); there are \(names)")
                }
                return SessionList(Instances: instances)
            },
        ]
    }
}
