extension ErrorCode {
    /// What is known about a code.
    public struct Entry: Hashable, Sendable {
        /// What the code says, in our words.
        public let meaning: String
        /// The vendor's caption in its Chinese table (the opening words where it
        /// is long), or `nil` where none is known. Not a message.
        public let chineseCaption: String?
        /// The lists in which the vendor documents the code.
        public let lists: Lists

        fileprivate init(_ meaning: String, _ chineseCaption: String?, _ lists: Lists) {
            self.meaning = meaning
            self.chineseCaption = chineseCaption
            self.lists = lists
        }
    }

    /// The vendor's lists of codes.
    public struct Lists: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// The common list: any action of any product may respond with these.
        public static let common = Lists(rawValue: 1 << 0)
        /// DBbrain, version 2021-05-27 (`errors.go` of the vendor's Go SDK).
        public static let dbbrain20210527 = Lists(rawValue: 1 << 1)
        /// DBbrain, version 2019-10-16 (the same).
        public static let dbbrain20191016 = Lists(rawValue: 1 << 2)
    }

    /// The row of the table for this code.
    public var entry: Entry {
        switch self {
        case .actionOffline:
            Entry("the action has been withdrawn", "接口已下线", [.common])
        case .authFailureInvalidAuthorization:
            Entry("the `Authorization` header is malformed", "请求头部的 Authorization 不符合腾讯云标准", [.common])
        case .authFailureInvalidSecretID:
            Entry("the key is of the wrong kind: not a cloud API key", "密钥非法", [.common])
        case .authFailureMFAFailure:
            Entry("the multi-factor check failed", "MFA 错误", [.common])
        case .authFailureSecretIDNotFound:
            Entry("there is no such key; it may have been deleted or disabled", "密钥不存在", [.common])
        case .authFailureSignatureExpire:
            Entry("the timestamp differs from the server's clock by more than five minutes", "签名过期", [.common])
        case .authFailureSignatureFailure:
            Entry("the server computes another signature", "签名错误", [.common])
        case .authFailureTokenFailure:
            Entry("the token is wrong", "token 错误", [.common])
        case .authFailureUnauthorizedOperation:
            Entry("access management does not allow the request", "请求未授权", [.common])
        case .dryRunOperation:
            Entry("the request would have worked, but DryRun was set", "DryRun 操作", [.common, .dbbrain20210527])
        case .failedOperation:
            Entry("the operation failed", "操作失败", [.common, .dbbrain20210527, .dbbrain20191016])
        case .internalError:
            Entry("an internal error", "内部错误", [.common, .dbbrain20210527, .dbbrain20191016])
        case .invalidAction:
            Entry("there is no such action", "接口不存在", [.common])
        case .invalidParameter:
            Entry(
                "a parameter is wrong: its format, type and the like", "参数错误",
                [.common, .dbbrain20210527, .dbbrain20191016])
        case .invalidParameterValue:
            Entry("the value of a parameter is wrong", "参数取值错误", [.common, .dbbrain20210527, .dbbrain20191016])
        case .invalidRequest:
            Entry("the multipart body is malformed", "请求 body 的 multipart 格式错误", [.common])
        case .ipInBlacklist:
            Entry("the caller's address is on the account's deny list", "IP地址在黑名单中", [.common])
        case .ipNotInWhitelist:
            Entry("the caller's address is not on the account's allow list", "IP地址不在白名单中", [.common])
        case .limitExceeded:
            Entry("a quota is exceeded", "超过配额限制", [.common, .dbbrain20210527, .dbbrain20191016])
        case .missingParameter:
            Entry("a parameter is missing", "缺少参数", [.common, .dbbrain20210527, .dbbrain20191016])
        case .noSuchProduct:
            Entry("there is no such product", "产品不存在", [.common])
        case .noSuchVersion:
            Entry("there is no such version of the API", "接口版本不存在", [.common])
        case .requestLimitExceeded:
            Entry(
                "too many requests for the frequency limit", "请求的次数超过了频率限制",
                [.common, .dbbrain20210527, .dbbrain20191016])
        case .requestLimitExceededGlobalRegionUinLimitExceeded:
            Entry("the main account exceeds its frequency limit", "主账号超过频率限制", [.common])
        case .requestLimitExceededIPLimitExceeded:
            Entry("the frequency limit of an address is exceeded", "IP限频", [.common])
        case .requestLimitExceededUinLimitExceeded:
            Entry("the frequency limit of a main account is exceeded", "主账号限频", [.common])
        case .requestSizeLimitExceeded:
            Entry("the request is bigger than allowed", "请求包超过限制大小", [.common])
        case .resourceInUse:
            Entry("the resource is busy", "资源被占用", [.common, .dbbrain20210527])
        case .resourceInsufficient:
            Entry("too little of the resource is left", "资源不足", [.common, .dbbrain20210527])
        case .resourceNotFound:
            Entry("the resource does not exist", "资源不存在", [.common, .dbbrain20210527, .dbbrain20191016])
        case .resourceUnavailable:
            Entry("the resource cannot be used", "资源不可用", [.common, .dbbrain20210527])
        case .responseSizeLimitExceeded:
            Entry("the response is bigger than allowed", "返回包超过限制大小", [.common])
        case .serviceUnavailable:
            Entry("the service cannot be used at the moment", "当前服务暂时不可用", [.common])
        case .unauthorizedOperation:
            Entry("the operation is not authorised", "未授权操作", [.common, .dbbrain20210527, .dbbrain20191016])
        case .unknownParameter:
            Entry(
                "the action does not define this parameter", "未知参数错误，用户多传未定义的参数会导致错误",
                [.common, .dbbrain20210527, .dbbrain20191016])
        case .unsupportedOperation:
            Entry("the operation is not supported", "操作不支持", [.common, .dbbrain20210527, .dbbrain20191016])
        case .unsupportedProtocol:
            Entry("the HTTP method is neither GET nor POST", "http(s) 请求协议错误", [.common])
        case .unsupportedRegion:
            Entry("the action is not offered in this region", "接口不支持所传地域", [.common])
        case .authFailure:
            Entry(
                "the signature or access management refused the request", "CAM签名/鉴权错误",
                [.dbbrain20210527, .dbbrain20191016])
        case .failedOperationAuditNotOpened:
            Entry("auditing is not switched on for the instance", nil, [.dbbrain20210527])
        case .failedOperationPaasAuditNotOpened:
            Entry("the platform's auditing is not switched on", nil, [.dbbrain20210527])
        case .failedOperationSegmentLoading:
            Entry("the data is still being loaded", "数据加载中", [.dbbrain20210527, .dbbrain20191016])
        case .internalErrorDbOperationFailed:
            Entry("an operation on the database failed", "数据库操作失败", [.dbbrain20210527])
        case .internalErrorInternalError:
            Entry("an internal error", nil, [.dbbrain20210527])
        case .invalidFilter:
            Entry("a filter is wrong", nil, [.dbbrain20210527])
        case .invalidParameterInvalidParameter:
            Entry("a parameter is wrong", nil, [.dbbrain20210527])
        case .invalidParameterCombination:
            Entry("the parameters exclude each other", nil, [.dbbrain20210527])
        case .invalidParameterValueInvalidParameterValue:
            Entry("the value of a parameter is wrong", nil, [.dbbrain20210527])
        case .missingParameterMissingParameter:
            Entry("a parameter is missing", nil, [.dbbrain20210527])
        case .operationDenied:
            Entry("the operation was denied", "操作被拒绝", [.dbbrain20210527, .dbbrain20191016])
        case .operationDeniedUserHasNoStrategy:
            Entry(
                "access management gives the user no policy for this", "CAM鉴权错误",
                [.dbbrain20210527, .dbbrain20191016])
        case .regionError:
            Entry("the region is wrong", "地域错误", [.dbbrain20210527])
        case .resourcesSoldOut:
            Entry("the resource is sold out", nil, [.dbbrain20210527])
        case .unauthorizedOperationUnauthorizedOperation:
            Entry("the operation is not authorised", nil, [.dbbrain20210527])
        case .unsupportedOperationHasDuplicatedTask:
            Entry("a task of the same kind exists already", nil, [.dbbrain20210527])
        }
    }
}
