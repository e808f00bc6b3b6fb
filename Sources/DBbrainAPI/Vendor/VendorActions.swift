import ActionDispatch
import TencentCloudErrors

/// The names of all actions that the vendor has, as the clients of the official
/// Python SDK (tencentcloud-sdk-python-dbbrain 3.1.194) list them.
enum VendorActions {
    static let names: [APIVersion: [String]] = [
        .v20210527: list(
            """
            AddUserContact CancelDBAutonomyAction CancelDBAutonomyEvent CancelKillTask
            CancelRedisBigKeyAnalysisTasks CloseAuditService CreateAuditLogFile CreateDBDiagReportTask
            CreateDBDiagReportUrl CreateDBDiagReportUrls CreateIgnoreDiagRecord CreateKillTask CreateMailProfile
            CreateMongoDBKillTask CreateProxySessionKillTask CreateRedisBigKeyAnalysisTask
            CreateSchedulerMailProfile CreateSecurityAuditLogExportTask CreateSqlFilter CreateUserAutonomyProfile
            DeleteAuditLogFile DeleteDBDiagReportTasks DeleteRedisBigKeyAnalysisTasks
            DeleteSecurityAuditLogExportTasks DeleteSqlFilters DescribeAlarmTemplate DescribeAllUserContact
            DescribeAllUserGroup DescribeAuditInstanceList DescribeAuditLogFiles DescribeBlockingLockTree
            DescribeBlockingLogs DescribeBlockingTrend DescribeDBAuditLogTopSqls DescribeDBAuditLogs
            DescribeDBAutonomyAction DescribeDBAutonomyActions DescribeDBAutonomyEvents DescribeDBDiagEvent
            DescribeDBDiagEvents DescribeDBDiagHistory DescribeDBDiagReportContent DescribeDBDiagReportTasks
            DescribeDBInstances DescribeDBPerfTimeSeries DescribeDBSpaceStatus DescribeDatabaseAutonomyStatus
            DescribeDatabaseObjectV2 DescribeDeadLockLogs DescribeDiagDBInstances DescribeHealthScore
            DescribeHealthScoreTimeSeries DescribeIndexRecommendAggregationSlowLogs DescribeIndexRecommendInfo
            DescribeMailProfile DescribeMetricTopProxies DescribeMongoDBProcessList DescribeMySqlProcessList
            DescribeNoPrimaryKeyTables DescribeProxyProcessStatistics DescribeProxySessionKillTasks
            DescribeRedisBigKeyAnalysisTasks DescribeRedisCmdPerfTimeSeries DescribeRedisCommandCostStatistics
            DescribeRedisCommandOverview DescribeRedisProcessList DescribeRedisSlowLogTopSqls
            DescribeRedisTopBigKeys DescribeRedisTopCostCommands DescribeRedisTopHotKeys
            DescribeRedisTopKeyPrefixList DescribeRedisUnExpiredKeyStatistics DescribeSecurityAuditLogDownloadUrls
            DescribeSecurityAuditLogExportTasks DescribeSlowLogQueryTimeStats DescribeSlowLogTimeSeriesStats
            DescribeSlowLogTopSqls DescribeSlowLogUserHostStats DescribeSlowLogs DescribeSqlFilters
            DescribeSqlTemplate DescribeTableSpaceDataV2 DescribeTopSpaceSchemaTimeSeries DescribeTopSpaceSchemas
            DescribeTopSpaceTableTimeSeries DescribeTopSpaceTables DescribeTopSpaceTablesV2
            DescribeUserAutonomyProfile DescribeUserSqlAdvice KillMySqlThreads ModifyAlarmPolicy ModifyAuditService
            ModifyDiagDBInstanceConf ModifySqlFilters ModifyUserAutonomyProfile OpenAuditService UpdateAgentSwitch
            UpdateDatabaseAutonomyStatus UpdateMonitorSwitch VerifyUserAccount
            """),
        .v20191016: list(
            """
            AddUserContact CreateDBDiagReportTask CreateDBDiagReportUrl CreateMailProfile CreateSchedulerMailProfile
            CreateSecurityAuditLogExportTask DeleteSecurityAuditLogExportTasks DescribeAllUserContact
            DescribeAllUserGroup DescribeDBDiagEvent DescribeDBDiagHistory DescribeDBDiagReportTasks
            DescribeDBSpaceStatus DescribeDiagDBInstances DescribeHealthScore DescribeMailProfile
            DescribeMySqlProcessList DescribeSecurityAuditLogDownloadUrls DescribeSecurityAuditLogExportTasks
            DescribeSlowLogTimeSeriesStats DescribeSlowLogTopSqls DescribeSlowLogUserHostStats
            DescribeTopSpaceSchemaTimeSeries DescribeTopSpaceSchemas DescribeTopSpaceTableTimeSeries
            DescribeTopSpaceTables DescribeUserSqlAdvice ModifyDiagDBInstanceConf
            """),
    ]

    private static func list(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "\n" }.map(String.init)
    }

    /// The actions beside `served`: each is rejected by its name, whatever its
    /// parameters are.
    static func unserved(besides served: [Action]) -> [Action] {
        names.flatMap { version, names in
            let servedNames = Set(served.filter { $0.versions.contains(version) }.map(\.name))
            return names.filter { !servedNames.contains($0) }.map { name in
                Action(name, versions: [version], request: AnyParameters.self) { _, _ -> Never in
                    throw TencentCloudError.unsupportedAction(name)
                }
            }
        }
    }
}

/// Takes any parameters and reads none.
private struct AnyParameters: Decodable, Sendable {
    init(from decoder: any Decoder) {}
}
