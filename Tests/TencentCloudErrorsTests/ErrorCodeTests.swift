import TencentCloudErrors
import XCTest

final class ErrorCodeTests: XCTestCase {
    private func codes(_ list: ErrorCode.Lists) -> Set<String> {
        Set(ErrorCode.allCases.filter { $0.entry.lists.contains(list) }.map(\.rawValue))
    }

    private func words(_ text: String) -> Set<String> {
        Set(text.split { $0 == " " || $0 == "\n" }.map(String.init))
    }

    func testHasTheWholeCommonList() {
        let documented = words(
            """
            ActionOffline AuthFailure.InvalidAuthorization AuthFailure.InvalidSecretId AuthFailure.MFAFailure
            AuthFailure.SecretIdNotFound AuthFailure.SignatureExpire AuthFailure.SignatureFailure
            AuthFailure.TokenFailure AuthFailure.UnauthorizedOperation DryRunOperation FailedOperation InternalError
            InvalidAction InvalidParameter InvalidParameterValue InvalidRequest IpInBlacklist IpNotInWhitelist
            LimitExceeded MissingParameter NoSuchProduct NoSuchVersion RequestLimitExceeded
            RequestLimitExceeded.GlobalRegionUinLimitExceeded RequestLimitExceeded.IPLimitExceeded
            RequestLimitExceeded.UinLimitExceeded RequestSizeLimitExceeded ResponseSizeLimitExceeded ResourceInUse
            ResourceInsufficient ResourceNotFound ResourceUnavailable ServiceUnavailable UnauthorizedOperation
            UnknownParameter UnsupportedOperation UnsupportedProtocol UnsupportedRegion
            """)
        XCTAssertEqual(documented.count, 38)
        XCTAssertEqual(codes(.common), documented)
    }

    func testHasTheWholeListOfBothVersionsOfDBbrain() {
        let documented2021 = words(
            """
            AuthFailure DryRunOperation FailedOperation FailedOperation.AuditNotOpened
            FailedOperation.PaasAuditNotOpened FailedOperation.SegmentLoading InternalError
            InternalError.DbOperationFailed InternalError.InternalError InvalidFilter InvalidParameter
            InvalidParameter.InvalidParameter InvalidParameterCombination InvalidParameterValue
            InvalidParameterValue.InvalidParameterValue LimitExceeded MissingParameter
            MissingParameter.MissingParameter OperationDenied OperationDenied.UserHasNoStrategy RegionError
            RequestLimitExceeded ResourceInUse ResourceInsufficient ResourceNotFound ResourceUnavailable
            ResourcesSoldOut UnauthorizedOperation UnauthorizedOperation.UnauthorizedOperation UnknownParameter
            UnsupportedOperation UnsupportedOperation.HasDuplicatedTask
            """)
        XCTAssertEqual(documented2021.count, 32)
        XCTAssertEqual(codes(.dbbrain20210527), documented2021)
        let documented2019 = words(
            """
            AuthFailure FailedOperation FailedOperation.SegmentLoading InternalError InvalidParameter
            InvalidParameterValue LimitExceeded MissingParameter OperationDenied OperationDenied.UserHasNoStrategy
            RequestLimitExceeded ResourceNotFound UnauthorizedOperation UnknownParameter UnsupportedOperation
            """)
        XCTAssertEqual(documented2019.count, 15)
        XCTAssertEqual(codes(.dbbrain20191016), documented2019)
    }

    func testEveryCodeIsDocumentedSomewhereAndHasAMeaning() {
        for code in ErrorCode.allCases {
            XCTAssertFalse(code.entry.lists.isEmpty, code.rawValue)
            XCTAssertFalse(code.entry.meaning.isEmpty, code.rawValue)
            if code.entry.lists.contains(.common) { XCTAssertNotNil(code.entry.chineseCaption, code.rawValue) }
            if let caption = code.entry.chineseCaption { XCTAssertTrue(caption.contains(/\p{Han}/), caption) }
        }
    }

    func testTheVendorsCaptionsAreTheVendors() {
        let captions: [(ErrorCode, String?)] = [
            (.authFailure, "CAM签名/鉴权错误"), (.operationDenied, "操作被拒绝"),
            (.operationDeniedUserHasNoStrategy, "CAM鉴权错误"), (.regionError, "地域错误"),
            (.failedOperationSegmentLoading, "数据加载中"), (.internalErrorDbOperationFailed, "数据库操作失败"),
            (.invalidFilter, nil), (.ipNotInWhitelist, "IP地址不在白名单中"), (.resourceInUse, "资源被占用"),
        ]
        for (code, caption) in captions { XCTAssertEqual(code.entry.chineseCaption, caption, code.rawValue) }
    }

    func testEveryActionHasItsDocumentedCodes() throws {
        let counts = [
            "KillMySqlThreads 2021-05-27": 14, "DescribeDiagDBInstances 2021-05-27": 14,
            "DescribeMySqlProcessList 2021-05-27": 13, "CancelKillTask 2021-05-27": 13,
            "VerifyUserAccount 2021-05-27": 13, "CreateSqlFilter 2021-05-27": 13, "CreateKillTask 2021-05-27": 11,
            "DescribeDBInstances 2021-05-27": 32, "DescribeMySqlProcessList 2019-10-16": 6,
        ]
        XCTAssertEqual(
            Dictionary(uniqueKeysWithValues: DocumentedAction.all.map { ("\($0.name) \($0.version)", $0.codes.count) }),
            counts)
        for action in DocumentedAction.all {
            let version: ErrorCode.Lists = action.version == "2019-10-16" ? .dbbrain20191016 : .dbbrain20210527
            for code in action.codes { XCTAssertTrue(code.entry.lists.contains(version), "\(action.name) \(code)") }
        }
        let create = try XCTUnwrap(DocumentedAction.all.first { $0.name == "CreateKillTask" })
        XCTAssertTrue(create.codes.isDisjoint(with: [.requestLimitExceeded, .limitExceeded, .resourceNotFound]))
    }
}
