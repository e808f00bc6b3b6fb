/// Texts that an operator puts instead of ours.
///
/// A text is named by itself, as in gettext: with `{1}`, `{2}` … where values
/// stand, in the order in which they stand there. The vendor's texts cannot be
/// replaced, since clients take them apart.
public struct MessageOverrides: Sendable {
    private let replacements: [String: Replacement]

    private enum Piece {
        case text(String)
        /// The value with this index in the text that is replaced.
        case value(Int)
    }
    private typealias Replacement = [Piece]

    /// No text is replaced.
    public static let none = MessageOverrides(replacements: [:])

    private init(replacements: [String: Replacement]) { self.replacements = replacements }

    /// - Parameter texts: what stands for which text of ours, in either language.
    public init(_ texts: [(ours: String, replacement: String)]) throws(MessageOverrideError) {
        let known = Self.textsOfOurs.reduce(into: [:]) { $0[$1.template] = $1.valueCount }
        var replacements: [String: Replacement] = [:]
        for (ours, replacement) in texts {
            guard let valueCount = known[ours] else { throw .unknownText(ours) }
            replacements[ours] = try Self.pieces(of: replacement, valueCount: valueCount)
        }
        self.replacements = replacements
    }

    /// What the response says.
    public func message(of error: TencentCloudError, in language: Language) -> String {
        message(of: error.wording(in: language))
    }

    /// The code of the response and what it says.
    public func codeAndMessage(
        of error: TencentCloudError, in language: Language
    ) -> (code: ErrorCode, message: String) {
        let row = error.message
        return (row.code, message(of: row.wording(in: language)))
    }

    private func message(of wording: Wording) -> String {
        guard !replacements.isEmpty, let replacement = replacements[wording.template] else { return wording.text }
        let values = wording.valueTexts
        return replacement.map { piece in
            switch piece {
            case .text(let text): text
            case .value(let index): values[index]
            }
        }.joined()
    }

    /// Everything between braces must be the number of a value; there are no other braces.
    private static func pieces(
        of text: String, valueCount: Int
    ) throws(MessageOverrideError) -> Replacement {
        var pieces: Replacement = []
        var rest = text[...]
        while let opening = rest.firstIndex(of: "{") {
            pieces.append(.text(String(rest[..<opening])))
            let inside = rest[rest.index(after: opening)...]
            guard let closing = inside.firstIndex(of: "}"), let number = Int(inside[..<closing]),
                number >= 1, number <= valueCount
            else { throw .unknownValue(in: text, valueCount: valueCount) }
            pieces.append(.value(number - 1))
            rest = inside[inside.index(after: closing)...]
        }
        return pieces + [.text(String(rest))]
    }
}

/// Why texts cannot be replaced.
public enum MessageOverrideError: Error, Hashable, Sendable {
    /// killd responds with no such text of its own.
    case unknownText(String)
    /// Braces hold something else than the number of one of the text's values.
    case unknownValue(in: String, valueCount: Int)
}

extension MessageOverrides {
    /// Every text of ours, in both languages, with how many values it has.
    public static var textsOfOurs: [(template: String, valueCount: Int)] {
        TencentCloudError.examples.flatMap { error in
            Language.allCases.map { error.wording(in: $0) }.filter { $0.source == .ours }
        }.map { ($0.template, $0.valueTexts.count) }
    }
}

extension TencentCloudError {
    /// One error for each text of the table.
    static let examples: [TencentCloudError] =
        [
            .signatureFailure, .requestTooLargeForSignature, .ambiguousSignature(parameter: ""), .signatureUsed,
            .signatureForgotten(since: 0), .secretIDNotFound, .invalidSecretID,
            .signatureExpired(serverTime: 0), .tokenFailure,
            .unauthorizedOperation(requestID: "", operation: "", resource: ""), .userHasNoStrategy,
            .unsupportedProtocol(method: ""), .unsupportedForm, .requestSizeLimitExceeded(limit: 0),
            .noSuchProduct, .noSuchVersion("", service: ""), .invalidAction("", service: "", version: ""),
            .unsupportedAction(""),
            .invalidRegion(parameter: ""), .unsupportedRegion, .requestLimitExceeded(count: 0, limit: 0),
            .malformedJSON(offset: 0), .notAJSONObject, .malformedPair, .malformedEscape(offset: 0),
            .repeatedParameter(""), .unknownParameter(""), .missingParameter(""), .wrongType(""),
            .invalidValue("", of: ""), .emptyValue(of: ""), .tooLong("", limit: 0), .tooShort("", least: 0),
            .hiddenCharacter(in: ""), .historyNeeded, .conflictingParameters("", ""), .instanceIDInvalid,
            .tooManyThreads(count: 0, limit: 0), .differentLengths("", ""), .proxyParameter(""), .unknownConnection(0),
            .threadNotPinnable(0), .planNotFound, .planNameNotFound, .duplicatedKillTask,
            .killTaskNotFound, .internalError,
        ] + AuthorizationDefect.examples.map(invalidAuthorization) + DenialReason.examples.map(operationDenied)
        + FailureReason.examples.map(failedOperation)
}

extension AuthorizationDefect {
    fileprivate static let examples: [AuthorizationDefect] = [
        .unsigned, .algorithm, .missing(part: ""), .credential, .signedHeaders, .signature, .trailingText, .date,
        .timestampNotInSeconds, .service, .notSigned(header: ""), .absent(header: ""), .repeated(header: ""),
        .unsignedPayload,
    ]
}

extension DenialReason {
    fileprivate static let examples: [DenialReason] = [
        .expired(since: ""), .approvalsTooLate(since: ""),
        .decided(state: "", since: nil, by: nil), .decided(state: "", since: "", by: nil),
        .decided(state: "", since: "", by: ""),
        .serverRestarted(mayHaveKilled: false), .serverRestarted(mayHaveKilled: true),
        .serverReplaced(mayHaveKilled: false), .serverReplaced(mayHaveKilled: true),
        .riskRose(mayHaveKilled: false),
        .riskRose(mayHaveKilled: true), .configurationChanged,
        .notYetApproved(MissingApprovals(plan: "", required: 0, approvedBy: [], couldApprove: [], until: "")),
        .ownPlan, .requestedByYou, .alreadyApproved, .otherDigest, .notYourPlan, .nothingToReview,
        .approvalsAskedFor,
    ]
}

extension FailureReason {
    fileprivate static let examples: [FailureReason] = [
        .storeUnavailable, .serverUnreachable(words: ""), .resultTooLarge, .privilegeMissing(""),
        .tlsUnavailable(words: ""), .serverFull(words: ""), .loginRefused(words: ""),
        .callerLoginRefused, .behindProxy, .planAltered, .beingCommitted, .outcomesNotStored, .cancellationNotStored,
        .refusedByServer(words: ""), .serverUnusable(words: ""), .unexpectedServerKind, .serverJustStarted(wait: 0),
    ]
}
