// swift-tools-version: 6.0
import PackageDescription

// The modules. Dependencies point down only, and each target names here every other target that it may import.
// No packages: Foundation, Dispatch, XCTest and the C libraries below are all there is.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, dependsOn modules: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: modules, exclude: exclude, swiftSettings: settings)
}

func program(_ name: String, dependsOn modules: [Target.Dependency], exclude: [String] = []) -> Target {
    .executableTarget(name: name, dependencies: modules, exclude: exclude, swiftSettings: settings)
}

func tests(
    _ name: String, of modules: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .testTarget(
        name: name, dependencies: modules + ["TestSupport"], exclude: exclude, resources: resources,
        swiftSettings: settings)
}

let package = Package(
    name: "killd",
    products: [.executable(name: "killd", targets: ["killd"])],
    targets: [
        // Programs
        program(
            "killd",
            dependsOn: [
                "StandIn", "StandInKeys", "ScriptedServers", "ServedAPIs", "DBbrainAPI", "DASAPI", "ActionDispatch",
                "RequestDispatch",
                "Accounts", "TencentCloudErrors",
                "RequestSigning", "RateLimiting", "Parameters", "SessionKill", "SQLiteStore", "MySQLSessions",
                "HTTPServer", "TLS", "PrivateDatabase", "Cryptography", "DedicatedThread", "FileDescriptors",
                "Metrics", "Text", "APIClient", "AuditTrail", "Webhooks", "Settings", "ContractFixtures",
            ], exclude: ["Packaging"]),
        program(
            "killd-benchmark",
            dependsOn: [
                "APIClient", "RequestSigning", "PrivateDatabase", "DedicatedThread", "FileDescriptors", "Migrations",
                "CSQLite", "CMySQL", "ODPDouble", "SeededRandom",
            ]),

        // The APIs
        module(
            "ServedAPIs",
            dependsOn: [
                "DBbrainAPI", "DASAPI", "ActionDispatch", "RequestDispatch", "Accounts", "TencentCloudErrors",
                "RequestSigning", "RateLimiting", "Parameters", "SessionKill", "HTTPServer", "Text",
            ]),
        module(
            "DBbrainAPI",
            dependsOn: [
                "ActionDispatch", "Accounts", "SessionKill", "RequestSigning", "TencentCloudErrors", "Parameters",
                "Text",
            ]),
        module(
            "DASAPI",
            dependsOn: [
                "Accounts", "RequestSigning", "RateLimiting", "SessionKill", "Parameters", "HTTPServer",
                "Cryptography", "Text", "RequestDispatch",
            ]),
        module(
            "ActionDispatch",
            dependsOn: [
                "Accounts", "TencentCloudErrors", "RequestSigning", "RateLimiting", "Parameters", "HTTPServer",
                "Cryptography", "Text", "RequestDispatch",
            ]),
        module("RequestDispatch", dependsOn: ["Accounts", "RequestSigning", "HTTPServer", "Text"]),
        module("Accounts", dependsOn: ["RequestSigning", "Cryptography", "Text"]),
        module("TencentCloudErrors", dependsOn: ["Text"]),
        module("RequestSigning", dependsOn: ["Cryptography", "Text"]),
        module("RateLimiting"),
        module("Parameters", dependsOn: ["Text"]),

        // The kill engine, its store and its database servers
        module("SessionKill", dependsOn: ["AuditTrail", "Cryptography", "Text"]),
        module(
            "SQLiteStore",
            dependsOn: [
                "SessionKill", "AuditTrail", "Migrations", "Cryptography", "DedicatedThread", "FileDescriptors",
                "CSQLite",
            ]),
        module("MySQLSessions", dependsOn: ["SessionKill", "DedicatedThread", "Text", "CMySQL"]),
        .target(
            name: "ScriptedServers", dependencies: ["SessionKill", "Settings", "Accounts", "Parameters", "Text"],
            resources: [.embedInCode("Standard.json")], swiftSettings: settings),
        .target(
            name: "Migrations", path: "Migrations",
            resources: [
                .embedInCode("V0001__kill_plans.sql"), .embedInCode("V0002__previews_and_history.sql"),
                .embedInCode("V0003__kill_tasks.sql"), .embedInCode("V0004__session_tasks.sql"),
                .embedInCode("V0005__interrupted_commits.sql"),
                .embedInCode("V0006__true_reports.sql"),
                .embedInCode("V0007__kill_guards.sql"), .embedInCode("V0008__reasons.sql"),
                .embedInCode("V0009__approvals.sql"),
                .embedInCode("V0010__cheaper_checks.sql"),
            ],
            swiftSettings: settings),

        module(
            "Webhooks",
            dependsOn: [
                "SessionKill", "APIClient", "HTTPServer", "RequestSigning", "Cryptography", "DedicatedThread", "Text",
            ]),

        // The stand-in
        module(
            "StandIn",
            dependsOn: [
                "StandInKeys", "ServedAPIs", "ScriptedServers", "SQLiteStore", "RequestSigning", "DedicatedThread",
                "DBbrainAPI",
                "DASAPI", "ActionDispatch", "RequestDispatch", "Accounts", "TencentCloudErrors",
                "Parameters", "SessionKill", "HTTPServer", "Text",
            ]),

        // Contract tests
        module(
            "ContractFixtures",
            dependsOn: [
                "StandInKeys", "APIClient", "HTTPServer", "RequestSigning", "Parameters", "Settings", "Cryptography",
                "DedicatedThread", "FileDescriptors", "Text",
            ], exclude: ["Fixtures"]),

        // HTTP
        module("HTTPServer", dependsOn: ["TLS", "CLinux", "DedicatedThread", "FileDescriptors", "Text"]),
        module(
            "APIClient", dependsOn: ["HTTPServer", "TLS", "RequestSigning", "Cryptography", "Text", "FileDescriptors"]),

        // Tools
        module("StandInKeys", dependsOn: ["Text"]),
        module("Settings", dependsOn: ["SessionKill", "Accounts", "Parameters", "Text"]),
        module("AuditTrail", dependsOn: ["Cryptography", "Text"]),
        module("TLS", dependsOn: ["COpenSSL", "FileDescriptors"]),
        module("Cryptography", dependsOn: ["COpenSSL"]),
        module("DedicatedThread", dependsOn: ["CLinux"]),
        module("Metrics"),
        module("Text", dependsOn: ["CLinux"]),
        module("FileDescriptors"),
        module("PrivateDatabase", dependsOn: ["FileDescriptors"]),
        module("ODPDouble", dependsOn: ["MySQLWire", "DedicatedThread"]),
        module("MySQLWire"),
        module("SeededRandom"),

        // C libraries
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        // Of default-libmysqlclient-dev.
        .target(name: "CMySQL", linkerSettings: [.linkedLibrary("mysqlclient")]),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: [
                "PrivateDatabase", "MySQLSessions", "SessionKill", "DedicatedThread", "CMySQL", "RequestSigning",
                "Cryptography", "ODPDouble", "MySQLWire", "APIClient", "SeededRandom",
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "StoreContract", dependencies: ["SessionKill", "TestSupport"], path: "Tests/StoreContract",
            swiftSettings: settings),
        tests("AuditTrailTests", of: ["AuditTrail", "Cryptography"]),
        tests("TencentCloudErrorsTests", of: ["TencentCloudErrors"]),
        tests("CryptographyTests", of: ["Cryptography"]),
        tests("DedicatedThreadTests", of: ["DedicatedThread"]),
        tests("FileDescriptorsTests", of: ["FileDescriptors"]),
        tests("MetricsTests", of: ["Metrics"]),
        tests(
            "StandInTests",
            of: [
                "StandInKeys", "StandIn", "ScriptedServers", "SQLiteStore", "APIClient", "Accounts", "HTTPServer",
                "RequestDispatch",
                "ActionDispatch", "DASAPI", "Parameters", "SessionKill", "RequestSigning", "TencentCloudErrors",
            ]),
        tests("TextTests", of: ["Text"]),
        tests("RequestSigningTests", of: ["RequestSigning", "Cryptography"], resources: [.copy("Vectors")]),
        tests("RateLimitingTests", of: ["RateLimiting", "SeededRandom"]),
        tests("ParametersTests", of: ["Parameters", "SeededRandom"]),
        tests(
            "SessionKillTests",
            of: [
                "SessionKill", "Cryptography", "SQLiteStore", "AuditTrail", "CSQLite", "Text", "SeededRandom",
                "StoreContract",
            ]),
        tests(
            "SQLiteStoreTests",
            of: ["SQLiteStore", "SessionKill", "AuditTrail", "Migrations", "CSQLite", "StoreContract"],
            exclude: ["Stores"]),
        tests(
            "MySQLSessionsTests",
            of: [
                "MySQLSessions", "SessionKill", "PrivateDatabase", "ODPDouble", "MySQLWire", "Text", "Cryptography",
                "SeededRandom",
            ]),
        tests(
            "ScriptedServersTests",
            of: ["ScriptedServers", "Settings", "SessionKill", "SQLiteStore", "MySQLSessions", "Accounts", "Text"],
            resources: [.copy("Seeds")]),
        tests("PrivateDatabaseTests", of: ["PrivateDatabase"]),
        tests("TLSTests", of: ["TLS"]),
        tests("HTTPServerTests", of: ["HTTPServer", "TLS", "FileDescriptors"]),
        tests("APIClientTests", of: ["APIClient"]),
        tests(
            "ContractFixturesTests",
            of: [
                "ContractFixtures", "Parameters", "APIClient", "RequestSigning", "DBbrainAPI", "DASAPI",
                "ActionDispatch", "TencentCloudErrors", "SessionKill", "SQLiteStore",
            ]),
        tests(
            "WebhooksTests",
            of: [
                "Webhooks", "SessionKill", "APIClient", "HTTPServer", "RequestSigning", "Cryptography",
                "DedicatedThread", "SeededRandom", "Text", "SQLiteStore", "MySQLWire",
            ]),
        tests(
            "ActionDispatchTests",
            of: [
                "ActionDispatch", "RequestDispatch", "Accounts", "TencentCloudErrors", "RequestSigning",
                "RateLimiting", "HTTPServer", "SeededRandom",
            ]),
        tests(
            "DASAPITests",
            of: [
                "DASAPI", "RequestDispatch", "Accounts", "RequestSigning", "RateLimiting", "Parameters", "HTTPServer",
                "SessionKill",
            ]),
        tests("DBbrainAPITests", of: ["DBbrainAPI", "ActionDispatch", "SessionKill"]),
        tests(
            "KilldTests",
            of: [
                "killd", "ServedAPIs", "ScriptedServers", "Webhooks", "ActionDispatch", "Accounts", "DBbrainAPI",
                "MySQLSessions", "HTTPServer", "TLS", "RequestSigning", "SessionKill", "TencentCloudErrors", "Text",
            ]),
        // What the fuzzer builds itself is left out.
        tests(
            "Fuzzing",
            of: [
                "DBbrainAPI", "DASAPI", "ActionDispatch", "RequestDispatch", "TencentCloudErrors", "RequestSigning",
                "Parameters", "HTTPServer", "AuditTrail", "SeededRandom", "Text",
            ],
            exclude: ["run", "dictionary.txt", "Entry"], resources: [.copy("Corpus")]),
        // killd is run, not called: named here so that it is built.
        tests(
            "EndToEndTests",
            of: [
                "killd", "MySQLSessions", "PrivateDatabase", "SessionKill", "RequestSigning", "Cryptography",
                "CSQLite", "DedicatedThread", "ODPDouble", "SQLiteStore", "AuditTrail", "HTTPServer",
                "ContractFixtures", "APIClient",
            ],
            exclude: ["StandIn/Examples"], resources: [.copy("Clients")]),
    ],
    swiftLanguageModes: [.v6]
)
