/// An action of DBbrain with the codes that the vendor documents for it.
///
/// Codes of ``ErrorCode/Lists/common`` come on top: the gateway in front of the
/// action may respond with them whatever the action is.
public struct DocumentedAction: Sendable {
    public let name: String
    public let version: String
    public let codes: Set<ErrorCode>

    /// The actions that killd serves or may come to serve, as the comments in
    /// `client.go` of the vendor's Go SDK have them.
    public static let all = [
        DocumentedAction(name: "KillMySqlThreads", version: "2021-05-27", codes: usual),
        DocumentedAction(name: "DescribeDiagDBInstances", version: "2021-05-27", codes: usual),
        DocumentedAction(name: "DescribeMySqlProcessList", version: "2021-05-27", codes: withoutRateLimit),
        DocumentedAction(name: "CancelKillTask", version: "2021-05-27", codes: withoutRateLimit),
        DocumentedAction(name: "VerifyUserAccount", version: "2021-05-27", codes: withoutRateLimit),
        DocumentedAction(name: "CreateSqlFilter", version: "2021-05-27", codes: withoutRateLimit),
        DocumentedAction(
            name: "CreateKillTask", version: "2021-05-27",
            codes: withoutRateLimit.subtracting([.limitExceeded, .resourceNotFound])),
        DocumentedAction(
            name: "DescribeDBInstances", version: "2021-05-27",
            codes: Set(ErrorCode.allCases.filter { $0.entry.lists.contains(.dbbrain20210527) })),
        DocumentedAction(
            name: "DescribeMySqlProcessList", version: "2019-10-16",
            codes: [
                .internalError, .invalidParameter, .invalidParameterValue, .missingParameter, .operationDenied,
                .operationDeniedUserHasNoStrategy,
            ]),
    ]

    private static let usual: Set<ErrorCode> = [
        .authFailure, .failedOperation, .internalError, .invalidParameter, .invalidParameterValue, .limitExceeded,
        .missingParameter, .operationDenied, .operationDeniedUserHasNoStrategy, .requestLimitExceeded,
        .resourceNotFound, .unauthorizedOperation, .unknownParameter, .unsupportedOperation,
    ]

    private static let withoutRateLimit = usual.subtracting([.requestLimitExceeded])
}
