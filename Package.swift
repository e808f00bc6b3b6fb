// swift-tools-version: 6.0
import PackageDescription

// The rooms of the house. Arrows point down only: a target names here every other target it may know.
// No packages: Foundation, Dispatch, XCTest and the C libraries below are all there is.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func room(_ name: String, knows rooms: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: rooms, swiftSettings: settings)
}

func program(_ name: String, knows rooms: [Target.Dependency], exclude: [String] = []) -> Target {
    .executableTarget(name: name, dependencies: rooms, exclude: exclude, swiftSettings: settings)
}

func tests(
    _ name: String, of rooms: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .testTarget(
        name: name, dependencies: rooms + ["TestSupport"], exclude: exclude, resources: resources,
        swiftSettings: settings)
}

let package = Package(
    name: "killd",
    products: [.executable(name: "killd", targets: ["killd"])],
    targets: [
        // Programs
        program(
            "killd",
            knows: [
                "DBbrainAPI", "DASAPI", "ActionDispatch", "Accounts", "TencentCloudErrors", "RequestSigning",
                "RateLimiting", "Parameters", "SessionKill", "SQLiteStore", "MySQLSessions", "HTTPServer", "TLS",
                "PrivateDatabase", "Cryptography", "DedicatedThread", "Metrics", "Text",
            ], exclude: ["Packaging"]),
        program(
            "killd-benchmark",
            knows: [
                "RequestSigning", "PrivateDatabase", "DedicatedThread", "Migrations", "CSQLite", "CMySQL", "ODPDouble",
            ]),

        // The APIs
        room("DBbrainAPI", knows: ["ActionDispatch", "Accounts", "SessionKill", "TencentCloudErrors", "Text"]),
        room(
            "DASAPI",
            knows: [
                "Accounts", "RequestSigning", "RateLimiting", "SessionKill", "Parameters", "HTTPServer", "Cryptography",
                "Text",
            ]),
        room(
            "ActionDispatch",
            knows: [
                "Accounts", "TencentCloudErrors", "RequestSigning", "RateLimiting", "Parameters", "HTTPServer",
                "Cryptography", "Text",
            ]),
        room("Accounts", knows: ["RequestSigning", "Cryptography", "Text"]),
        room("TencentCloudErrors"),
        room("RequestSigning", knows: ["Cryptography"]),
        room("RateLimiting"),
        room("Parameters", knows: ["Text"]),

        // The kill engine and what it stands on
        room("SessionKill", knows: ["Cryptography", "Text"]),
        room("SQLiteStore", knows: ["SessionKill", "Migrations", "Cryptography", "DedicatedThread", "CSQLite"]),
        room("MySQLSessions", knows: ["SessionKill", "DedicatedThread", "Text", "CMySQL"]),
        .target(
            name: "Migrations", path: "Migrations",
            resources: [
                .embedInCode("V0001__kill_plans.sql"), .embedInCode("V0002__previews_and_history.sql"),
                .embedInCode("V0003__kill_tasks.sql"), .embedInCode("V0004__session_tasks.sql"),
                .embedInCode("V0005__interrupted_commits.sql"),
                .embedInCode("V0006__true_reports.sql"),
                .embedInCode("V0007__kill_guards.sql"),
            ],
            swiftSettings: settings),

        // The front of the house
        room("HTTPServer", knows: ["TLS", "CLinux", "DedicatedThread"]),

        // Tools
        room("TLS", knows: ["COpenSSL"]),
        room("Cryptography", knows: ["COpenSSL"]),
        room("DedicatedThread", knows: ["CLinux"]),
        room("Metrics"),
        room("Text"),
        room("PrivateDatabase"),

        // C libraries
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        // Of default-libmysqlclient-dev.
        .target(name: "CMySQL", linkerSettings: [.linkedLibrary("mysqlclient")]),

        // Tests
        .target(name: "MySQLWire", path: "Tests/MySQLWire", swiftSettings: settings),
        .target(
            name: "ODPDouble", dependencies: ["MySQLWire", "DedicatedThread"], path: "Tests/ODPDouble",
            swiftSettings: settings),
        .target(
            name: "TestSupport",
            dependencies: [
                "PrivateDatabase", "MySQLSessions", "SessionKill", "DedicatedThread", "CMySQL", "RequestSigning",
                "Cryptography", "ODPDouble", "MySQLWire",
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("TencentCloudErrorsTests", of: ["TencentCloudErrors"]),
        tests("CryptographyTests", of: ["Cryptography"]),
        tests("DedicatedThreadTests", of: ["DedicatedThread"]),
        tests("MetricsTests", of: ["Metrics"]),
        tests("TextTests", of: ["Text"]),
        tests("RequestSigningTests", of: ["RequestSigning"], resources: [.copy("Vectors")]),
        tests("RateLimitingTests", of: ["RateLimiting"]),
        tests("ParametersTests", of: ["Parameters"]),
        tests("SessionKillTests", of: ["SessionKill", "Cryptography", "SQLiteStore", "CSQLite", "Text"]),
        tests("SQLiteStoreTests", of: ["SQLiteStore", "SessionKill", "Migrations", "CSQLite"]),
        tests(
            "MySQLSessionsTests",
            of: [
                "MySQLSessions", "SessionKill", "PrivateDatabase", "ODPDouble", "MySQLWire", "Text", "Cryptography",
            ]),
        tests("PrivateDatabaseTests", of: ["PrivateDatabase"]),
        tests("TLSTests", of: ["TLS"]),
        tests("HTTPServerTests", of: ["HTTPServer", "TLS"]),
        tests(
            "ActionDispatchTests",
            of: [
                "ActionDispatch", "Accounts", "TencentCloudErrors", "RequestSigning", "RateLimiting", "HTTPServer",
            ]),
        tests(
            "DASAPITests",
            of: [
                "DASAPI", "Accounts", "RequestSigning", "RateLimiting", "Parameters", "HTTPServer", "Cryptography",
                "SessionKill",
            ]),
        tests("DBbrainAPITests", of: ["DBbrainAPI", "ActionDispatch", "SessionKill"]),
        tests(
            "KilldTests",
            of: [
                "killd", "ActionDispatch", "Accounts", "DBbrainAPI", "MySQLSessions", "HTTPServer", "TLS",
                "RequestSigning", "SessionKill", "TencentCloudErrors", "Text",
            ]),
        // What the fuzzer builds itself is left out.
        tests(
            "Fuzzing",
            of: [
                "DBbrainAPI", "DASAPI", "ActionDispatch", "TencentCloudErrors", "RequestSigning", "Parameters",
                "HTTPServer",
            ],
            exclude: ["run", "dictionary.txt", "Entry"], resources: [.copy("Corpus")]),
        // killd is run, not called: named here so that it is built.
        tests(
            "EndToEndTests",
            of: [
                "killd", "MySQLSessions", "PrivateDatabase", "SessionKill", "RequestSigning", "Cryptography", "CSQLite",
                "DedicatedThread", "ODPDouble",
            ],
            resources: [.copy("Clients")]),
    ],
    swiftLanguageModes: [.v6]
)
