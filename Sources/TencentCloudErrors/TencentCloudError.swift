/// Everything that a request can be rejected for, with what the response names.
///
/// The code and the texts of each case are in ``message``.
public enum TencentCloudError: Error, Hashable, Sendable {
    // MARK: Who asks

    /// The signature is not the one that the server computes.
    case signatureFailure
    /// The request is too large for a signature of version 1.
    case requestTooLargeForSignature
    /// A signature of version 1 that would fit other parameters too, because of
    /// this one's name or value.
    case ambiguousSignature(parameter: String)
    /// The signature was taken before, so the request may be a repetition.
    case signatureUsed
    /// The signature is of a time of which nobody remembers any more, since this
    /// Unix time in seconds, which signatures were taken.
    case signatureForgotten(since: Int64)
    /// No account has the SecretId.
    case secretIDNotFound
    /// The SecretId is of a kind that may not sign requests.
    case invalidSecretID
    /// The timestamp is too far from the server's clock, in Unix seconds.
    case signatureExpired(serverTime: Int64)
    case invalidAuthorization(AuthorizationDefect)
    /// The token of temporary credentials is wrong.
    case tokenFailure
    /// The account may not do this.
    case unauthorizedOperation(requestID: String, operation: String, resource: String)
    /// The account has no policy for this operation of the product.
    case userHasNoStrategy

    // MARK: What is asked for

    /// The HTTP method is neither GET nor POST.
    case unsupportedProtocol(method: String)
    /// The HTTP method, the content type and the place of the signature do not
    /// go together.
    case unsupportedForm
    /// The request is larger than the limit of its form, in bytes.
    case requestSizeLimitExceeded(limit: Int)
    /// The request came to a listener of the API of another vendor.
    case noSuchProduct
    case noSuchVersion(String, service: String)
    case invalidAction(String, service: String, version: String)
    /// The vendor has the action, but killd does not.
    case unsupportedAction(String)
    /// The region is none, named by the header or parameter that carries it:
    /// `X-TC-Region` or `Region`.
    case invalidRegion(parameter: String)
    /// The action is not offered in the region.
    case unsupportedRegion
    /// The account's calls in the current second, this one included.
    case requestLimitExceeded(count: Int, limit: Int)

    // MARK: Parameters

    /// The body is not JSON. The offset counts bytes from 0.
    case malformedJSON(offset: Int)
    /// The body is JSON, but no object.
    case notAJSONObject
    /// A pair of a query or form has no `=`.
    case malformedPair
    /// A percent sign of a query or form begins no escape, or what is escaped is
    /// no UTF-8. The offset counts bytes from 0.
    case malformedEscape(offset: Int)
    case repeatedParameter(String)
    case unknownParameter(String)
    case missingParameter(String)
    /// The value is of another type, or a number that the type cannot hold.
    case wrongType(String)
    case invalidValue(String, of: String)
    case emptyValue(of: String)
    /// The value has more bytes than the limit.
    case tooLong(String, limit: Int)
    /// The value has fewer characters than it needs.
    case tooShort(String, least: Int)
    /// The value has a character that is not seen, or that turns the text around.
    case hiddenCharacter(in: String)
    /// The plan needs approvals, and nobody can approve what is not recorded.
    case historyNeeded
    /// Two parameters exclude each other.
    case conflictingParameters(String, String)
    /// killd does not have the instance.
    case instanceIDInvalid
    case tooManyThreads(count: Int, limit: Int)
    /// Two lists belong together, element by element, but one is longer.
    case differentLengths(String, String)
    /// The parameter makes sense for OceanBase Database Proxies only.
    case proxyParameter(String)
    /// An id is that of no thread of the proxy and of no connection of one.
    case unknownConnection(Int)
    /// Nothing would tell the thread from a later one with its id.
    case threadNotPinnable(Int)

    // MARK: The work itself

    /// The account has no kill plan under the SqlExecId for this instance.
    case planNotFound
    /// No kill plan that the account may see has the name.
    case planNameNotFound
    /// The instance has a running kill task already.
    case duplicatedKillTask
    /// The instance has no running kill task.
    case killTaskNotFound
    case operationDenied(DenialReason)
    case failedOperation(FailureReason)
    /// A defect of killd.
    case internalError

    public var code: ErrorCode { message.code }

    /// The text of the response's `Message`.
    public func message(in language: Language) -> String {
        wording(in: language).text
    }

    /// The text of the response's `Message`, with where it comes from.
    public func wording(in language: Language) -> Wording { message.wording(in: language) }
}

/// What is wrong with an `Authorization` header.
public enum AuthorizationDefect: Hashable, Sendable {
    /// It is `SKIP`: the SDK was told not to sign.
    case unsigned
    /// It does not begin with the one algorithm.
    case algorithm
    /// One of Credential, SignedHeaders and Signature is not where it should be.
    case missing(part: String)
    /// The credential is not of its form.
    case credential
    /// The names are not in lower case and in order, or one is there twice.
    case signedHeaders
    /// The signature is not 64 hexadecimal digits in lower case.
    case signature
    /// Something follows the signature.
    case trailingText
    /// The credential's date is not the UTC date of the timestamp.
    case date
    /// The timestamp counts milliseconds.
    case timestampNotInSeconds
    /// The credential's service is not the one that is called.
    case service
    /// A header that must be signed is not.
    case notSigned(header: String)
    /// A header that is signed, or must be there, is not.
    case absent(header: String)
    /// A header that may be there once is repeated.
    case repeated(header: String)
    /// `UNSIGNED-PAYLOAD` for an action that changes something.
    case unsignedPayload
}

/// Why a plan may not be carried out.
public enum DenialReason: Hashable, Sendable {
    /// The plan's lifetime is over since then: an ISO 8601 time.
    case expired(since: String)
    /// The plan is in a state that it does not leave any more, or is being committed.
    ///
    /// - Parameters:
    ///   - state: in one word, as responses spell it.
    ///   - since: an ISO 8601 time, where it is known.
    ///   - by: who brought it there; nil if the time did, or killd.
    case decided(state: String, since: String?, by: String?)
    /// It was not approved in time: an ISO 8601 time.
    case approvalsTooLate(since: String)
    /// The server was restarted since Prepare.
    ///
    /// - Parameter mayHaveKilled: whether an interrupted Commit came before.
    case serverRestarted(mayHaveKilled: Bool)
    /// Another server answers than the one that the plan was made for.
    case serverReplaced(mayHaveKilled: Bool)
    /// The configuration was changed while the request waited, and permits it no more.
    case configurationChanged
    /// The risk is higher than what was approved.
    case riskRose(mayHaveKilled: Bool)
    case notYetApproved(MissingApprovals)
    /// Who prepared a plan does not approve it.
    case ownPlan
    /// Nor does who asked for it.
    case requestedByYou
    /// The person has approved it already, by another request for other content.
    case alreadyApproved
    /// The digest is of something else than the plan.
    case otherDigest
    /// Only the account that prepared it can do this.
    case notYourPlan
    /// Nothing to review: its approvals were not passed over, or it has not ended.
    case nothingToReview
    /// What ends sessions by a rule is not done on an instance that asks for approvals.
    case approvalsAskedFor
}

/// What a plan lacks to be committed.
public struct MissingApprovals: Hashable, Sendable {
    public var plan: String
    public var required: Int
    public var approvedBy: [String]
    public var couldApprove: [String]
    /// The time until which it can be approved, ISO 8601.
    public var until: String

    public init(plan: String, required: Int, approvedBy: [String], couldApprove: [String], until: String) {
        self.plan = plan
        self.required = required
        self.approvedBy = approvedBy
        self.couldApprove = couldApprove
        self.until = until
    }
}

/// Why something that was allowed could not be done.
public enum FailureReason: Hashable, Sendable {
    /// The intent could not be recorded, so nothing was killed.
    case storeUnavailable
    ///
    /// - Parameter words: here and below, what was tried and what the server or the
    ///   client library said to it, with its number.
    case serverUnreachable(words: String)
    /// More than killd reads of one server at a time.
    case resultTooLarge
    /// killd's account on the server lacks this privilege.
    case privilegeMissing(String)
    /// The configuration demands TLS, and the connection could not have it.
    case tlsUnavailable(words: String)
    /// All of the server's connections are in use.
    case serverFull(words: String)
    /// The server refused killd's account.
    case loginRefused(words: String)
    /// The server refused the account that the request names.
    case callerLoginRefused
    /// The thread ids that a proxy shows are not the server's.
    case behindProxy
    /// The server was started so short a time ago that nothing would tell a restart; seconds to wait.
    case serverJustStarted(wait: Int)
    /// The stored plan is not what was prepared.
    case planAltered
    /// Another process is carrying the plan out.
    case beingCommitted
    /// KILLs were sent; a repeated Commit finds out what became of them.
    case outcomesNotStored
    /// A kill task was stopped, but not recorded as cancelled.
    case cancellationNotStored
    /// The server answered with an error.
    case refusedByServer(words: String)
    /// What the server said makes no sense, or killd is ending its connections.
    case serverUnusable(words: String)
    /// The configuration says that the server is of another kind.
    case unexpectedServerKind
}
