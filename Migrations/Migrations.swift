/// One step of the store's schema, from a numbered file in this folder.
///
/// A file is never changed once it has shipped: stores that applied it refuse
/// another text under its number. What comes later is a new file and a new row
/// in ``all``.
public struct Migration: Hashable, Sendable {
    /// From 1, without gaps.
    public let version: Int
    /// What stands between `V0001__` and `.sql` in the file's name.
    public let name: String
    public let sql: String

    public init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }

    /// Every migration, in the order of application.
    public static let all = [
        Migration(version: 1, name: "kill_plans", file: PackageResources.V0001__kill_plans_sql),
        Migration(
            version: 2, name: "previews_and_history", file: PackageResources.V0002__previews_and_history_sql),
        Migration(version: 3, name: "kill_tasks", file: PackageResources.V0003__kill_tasks_sql),
        Migration(version: 4, name: "session_tasks", file: PackageResources.V0004__session_tasks_sql),
        Migration(version: 5, name: "interrupted_commits", file: PackageResources.V0005__interrupted_commits_sql),
        Migration(version: 6, name: "true_reports", file: PackageResources.V0006__true_reports_sql),
        Migration(version: 7, name: "kill_guards", file: PackageResources.V0007__kill_guards_sql),
        Migration(version: 8, name: "reasons", file: PackageResources.V0008__reasons_sql),
        Migration(version: 9, name: "approvals", file: PackageResources.V0009__approvals_sql),
        Migration(version: 10, name: "cheaper_checks", file: PackageResources.V0010__cheaper_checks_sql),
    ]

    private init(version: Int, name: String, file: [UInt8]) {
        self.init(version: version, name: name, sql: String(decoding: file, as: UTF8.self))
    }
}
