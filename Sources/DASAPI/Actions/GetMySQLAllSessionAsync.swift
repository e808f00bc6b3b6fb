import Accounts
import Cryptography
import SessionKill

/// The sessions of a server, counted by user, client and database.
///
/// Source: the action's page of 2024-04-25. It takes two calls at least: the
/// first begins a listing and names it, the same call with that `ResultId`
/// responds with it once it is finished, as often as it is asked for.
struct GetMySQLAllSessionAsync: DASAction {
    static let name = "GetMySQLAllSessionAsync"
    static let needs: Set<Permission> = [.list]
    let das: DAS

    struct Request: Decodable, Sendable {
        var InstanceId: String
        /// The instance's own address without one.
        var NodeId: String?
        var ResultId: String?
    }

    func respond(to request: Request, for call: DASCall) async throws(DASError) -> DASResponse {
        let instance = try das.instance(request.InstanceId, for: call).server(request.NodeId)
        guard let id = request.ResultId else {
            do throws(CryptographyError) {
                return DASResponse(data: try await das.listings.begin(on: instance, for: call.accountName).response)
            } catch {
                throw .internalError(cause: error)
            }
        }
        guard id.utf8.count <= 64 else { throw .resultNotFound }
        guard let listing = await das.listings.listing(id, at: instance.target, of: call.accountName) else {
            throw .resultNotFound
        }
        var response = DASResponse(data: listing.response)
        // The members' names and marks, three more ids, and the texts.
        if case .finished(let data) = listing.state { response.sizeHint = data.sessions.count * 170 + data.size / 2 }
        return response
    }
}

extension SessionListings.Listing {
    /// State and ResultId are always there: clients read them without looking.
    fileprivate var response: ResponseValue {
        let data: SessionData?
        let (word, isFinished, isFailed): (String, Bool, Bool)
        switch state {
        case .running: (data, word, isFinished, isFailed) = (nil, "RUNNING", false, false)
        case .finished(let found): (data, word, isFinished, isFailed) = (found, "SUCCESS", true, false)
        // FAIL here, where a task says FAILURE.
        case .failed: (data, word, isFinished, isFailed) = (nil, "FAIL", true, true)
        }
        return [
            "Fail": .boolean(isFailed), "SessionData": data?.response, "ResultId": .text(id),
            "IsFinish": .boolean(isFinished), "State": .text(word), "Complete": .boolean(data != nil),
            "Timestamp": .integer(requestedAt.milliseconds),
        ]
    }
}

extension SessionData {
    fileprivate var response: ResponseValue {
        [
            "TotalSessionCount": .integer(Int64(sessions.count)), "ActiveSessionCount": .integer(Int64(activeCount)),
            "MaxActiveTime": .integer(longestActive), "SessionList": .longList(.init(sessions)),
            "UserStats": .list(users.map(\.response)), "ClientStats": .list(clients.map(\.response)),
            "DbStats": .list(databases.map(\.response)), "TimeStamp": .integer(readAt.milliseconds),
        ]
    }
}

extension ListedSession: ResponseElement {
    /// `UserClientAlias` and `SqlTemplateId` are never there: nobody tells killd of
    /// the one, and the other is of PolarDB-X.
    ///
    /// A transaction that has changed nothing has no id. MariaDB shows 0 for it,
    /// and so does this: the holder of a metadata lock is looked for by `TrxId`.
    func write(to response: inout ResponseWriter) {
        response.beginObject()
        response.append("SessionId", Int64(id.rawValue))
        response.append("User", user)
        response.append("Client", client)
        response.append("DbName", database)
        response.append("Command", command)
        response.append("Time", seconds)
        response.append("State", state)
        response.append("SqlText", statement)
        if let transaction {
            response.append("TrxId", transaction.id ?? "0")
            response.append("TrxDuration", transaction.age)
        }
        response.endObject()
    }
}

extension ThreadID: ResponseElement {
    func write(to response: inout ResponseWriter) { response.append(Int64(rawValue)) }
}

extension SessionCount {
    fileprivate var response: ResponseValue {
        [
            "Key": .text(key), "TotalCount": .integer(Int64(threads.count)),
            "ActiveCount": .integer(Int64(activeCount)),
            "ThreadIdList": .longList(.init(threads)),
            "UserList": .list(users.map { .text($0) }),
        ]
    }
}
