import MySQLSessions
import Accounts
import ActionDispatch
import DBbrainAPI
import Foundation
import HTTPServer
import MySQLSessions
import RequestSigning
import TencentCloudErrors
import XCTest

@testable import killd

final class ConfigurationTests: XCTestCase {
    private var folder = ""

    override func setUpWithError() throws {
        folder = NSTemporaryDirectory() + "killd-configuration-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("from a file\n".utf8).write(to: URL(fileURLWithPath: folder + "/alice.key"))
        setenv("KILLD_TEST_PASSWORD", "from the environment", 1)
        unsetenv("KILLD_TEST_UNSET")
    }

    override func tearDownWithError() throws {
        try FileManager.default.removeItem(atPath: folder)
    }

    private func read(_ json: String) throws -> Configuration {
        try Configuration(json: Array(json.utf8), folder: folder)
    }

    private static let account =
        #"{"name":"ci","uin":"100000000001","secretId":"AKIDci","secretKey":"SK","may":["*"],"instances":["*"]}"#
    private static let instance =
        #"{"id":"cdb-1","host":"127.0.0.1","port":3306,"user":"killd","password":"p"}"#

    /// A minimal configuration with one value put in.
    private func read(top: String = "", account: String = account, instance: String = instance) throws -> Configuration
    {
        try read("{\(top)\"accounts\":[\(account)],\"instances\":[\(instance)]}")
    }

    func testTheMinimalConfigurationHasTheDocumentedDefaults() throws {
        let configuration = try read()
        XCTAssertEqual(configuration.listen.description, "127.0.0.1:8155")
        XCTAssertEqual(configuration.signedHosts, [])
        XCTAssertEqual(configuration.store, folder + "/killd.sqlite")
        XCTAssertEqual(configuration.planLifetime, 600)
        XCTAssertEqual(configuration.planRetention, 90)
        XCTAssertEqual(configuration.maximumThreads, 1_000)
        XCTAssertEqual(configuration.killWait, 3)
        XCTAssertEqual(configuration.requestsPerSecond, 20)
        XCTAssertEqual(configuration.requestMemory, 256)
        XCTAssertEqual(configuration.logLevel, .info)
        XCTAssertNil(configuration.operationsListen)
        XCTAssertEqual(configuration.accounts[0].permissions, Permission.everyday)
        XCTAssertEqual(configuration.instances[0].name, "cdb-1")
        XCTAssertEqual(configuration.instances[0].product, .mysql)
    }

    func testNullIsNoValueWhereItWouldProtectLess() throws {
        let account = Self.account.dropLast()
        let instance = Self.instance.dropLast()
        for (key, read) in [
            ("accounts.0.token", { try self.read(account: account + #","token":null}"#) }),
            ("instances.0.protectedUsers", { try self.read(instance: instance + #","protectedUsers":null}"#) }),
            ("instances.0.protectedUsers", { try self.read(instance: instance + #","protectedUsers":["repl"," "]}"#) }),
            ("tls.clientCA", { try self.read(top: #""tls":{"certificate":"c","privateKey":"k","clientCA":null},"#) }),
            ("accounts.0.unsignedPayload", { try self.read(account: account + #","unsignedPayload":"true"}"#) }),
        ] as [(String, () throws -> Configuration)] {
            XCTAssertThrowsError(try read(), key) { XCTAssertTrue("\($0)".contains(key), "\($0)") }
        }
        let trusting = try read(account: account + #","unsignedPayload":true}"#)
        XCTAssertEqual([try read(), trusting].map { $0.accounts[0].mayLeavePayloadUnsigned }, [false, true])
    }

    func testTheConfigurationOfTheDesignIsReadWhereThisVersionHasItsFeatures() throws {
        let configuration = try read(
            """
            {
              "listen": "127.0.0.1:0",
              "signedHosts": ["dbbrain.internal.example"],
              "store": "plans/killd.sqlite",
              "accounts": [
                { "name": "ci", "uin": "100000000001", "secretId": "AKIDci", "secretKey": { "env": "KILLD_TEST_PASSWORD" },
                  "may": ["list", "prepare", "commit"], "instances": ["cdb-*"] },
                { "name": "alice", "uin": "100000000002", "secretId": "AKIDalice", "secretKey": { "file": "alice.key" },
                  "may": ["list", "approve"], "instances": ["*"] }
              ],
              "instances": [
                { "id": "cdb-8jawylhf", "name": "orders", "product": "mysql", "region": "ap-guangzhou",
                  "host": "127.0.0.1", "port": 3306, "user": "killd", "password": { "env": "KILLD_TEST_PASSWORD" },
                  "tls": "required", "approvals": 0, "protectedUsers": ["repl", "monitor"] }
              ],
              "planLifetimeSeconds": 60,
              "requestsPerSecond": 5
            }
            """)
        XCTAssertEqual(configuration.store, folder + "/plans/killd.sqlite")
        XCTAssertEqual(configuration.accounts.map { $0.secretKey.reveal() }, ["from the environment", "from a file"])
        XCTAssertEqual(configuration.accounts[0].permissions, [.list, .prepare, .commit])
        XCTAssertTrue(configuration.accounts[0].maySee(instance: "cdb-8jawylhf"))
        XCTAssertFalse(configuration.accounts[0].maySee(instance: "cynosdb-1"))
        XCTAssertEqual(configuration.instances[0].protectedUsers, ["repl", "monitor"])
        XCTAssertEqual(configuration.planLifetime, 60)
        XCTAssertEqual(configuration.requestsPerSecond, 5)
    }

    func testEveryMistakeNamesItsKeyAndWhatWasExpected() throws {
        let a = Self.account
        let i = Self.instance
        let mistakes: [(json: String, message: String)] = [
            ("", "not JSON: line 1, column 1: the file ends here"), ("[]", "expected an object"),
            ("{\n  \"listen\": \"x\",\n}", "not JSON: line 3, column 1: } may not stand here"),
            ("{\n\n \"a\": 01}", "not JSON: line 3, column 7: this is no number"),
            ("{\"a\":1,\n\"a\":2}", "not JSON: line 2, column 1: \"a\" stands here for the second time"),
            ("\u{FEFF}{}", "not JSON: line 1, column 1: the file begins with a byte-order mark"),
            ("{\"store\":\"C:\\killd\"}", "column 13: a backslash is followed by no escape of JSON"),
            (#"{"accounts":[\#(a)]}"#, "instances: expected a list with at least one object"),
            (#"{"instances":[\#(i)]}"#, "accounts: expected a list with at least one object"),
            (#"{"accounts":[],"instances":[\#(i)]}"#, "accounts: expected a list with at least one object"),
            (#"{"accounts":[1],"instances":[\#(i)]}"#, "accounts.0: expected an object"),
            (#"{"lsten":"x","accounts":[\#(a)],"instances":[\#(i)]}"#, "lsten: there is no such key"),
            (#"{"listen":"x","accounts":[\#(a)],"instances":[\#(i)]}"#, "listen: expected HOST:PORT"),
            (
                #"{"signedHosts":["http://killd"],"accounts":[\#(a)],"instances":[\#(i)]}"#,
                #"signedHosts: "http://killd" has a scheme, which is not signed; expected HOST or HOST:PORT"#
            ),
            (
                #"{"signedHosts":["killd","killd/"],"accounts":[\#(a)],"instances":[\#(i)]}"#,
                #"signedHosts: "killd/" has a path, which is not signed"#
            ),
            (
                #"{"signedHosts":[" killd"],"accounts":[\#(a)],"instances":[\#(i)]}"#,
                #"signedHosts: " killd" is empty or has a blank"#
            ),
            (
                #"{"keepAliveSeconds":0,"accounts":[\#(a)],"instances":[\#(i)]}"#,
                "keepAliveSeconds: expected a whole number from 1 to 3600"
            ),
            (#"{"listen":8155,"accounts":[\#(a)],"instances":[\#(i)]}"#, "listen: expected a text"),
            (
                #"{"planLifetimeSeconds":0,"accounts":[\#(a)],"instances":[\#(i)]}"#,
                "planLifetimeSeconds: expected a whole number from 1 to 604800"
            ),
            (
                #"{"requestsPerSecond":"20","accounts":[\#(a)],"instances":[\#(i)]}"#,
                "requestsPerSecond: expected a whole number"
            ),
            (
                #"{"requestsPerSecond":1.5,"accounts":[\#(a)],"instances":[\#(i)]}"#,
                "requestsPerSecond: expected a whole number"
            ),
            (#"{"accounts":[\#(a),\#(a)],"instances":[\#(i)]}"#, #"accounts.1.name: "ci" is used twice"#),
            (#"{"accounts":[\#(a)],"instances":[\#(i),\#(i)]}"#, #"instances.1.id: "cdb-1" is used twice"#),
            (#"{"accounts":[\#(a)],"accounts":[],"instances":[\#(i)]}"#, "not JSON"),
        ]
        for (json, message) in mistakes { assertRefused(try read(json), message, json) }
    }

    func testEveryMistakeInAnAccountNamesItsKeyAndWhatWasExpected() {
        let mistakes: [(before: String, after: String, message: String)] = [
            (#""name":"ci","#, "", "accounts.0.name: missing"),
            (#""uin":"100000000001","#, #""uin":100000000001,"#, "accounts.0.uin: expected a text"),
            (#""secretId":"AKIDci""#, #""secretId":"AKID/ci""#, "accounts.0.secretId: expected visible ASCII"),
            (#""secretKey":"SK","#, "", "accounts.0.secretKey: missing"),
            (#""secretKey":"SK""#, #""secretKey":"""#, "accounts.0.secretKey: the secret is empty"),
            (#""secretKey":"SK""#, #""secretKey":{}"#, "accounts.0.secretKey: expected a text, {\"env\": NAME}"),
            (#""secretKey":"SK""#, #""secretKey":{"env":"A","file":"b"}"#, "accounts.0.secretKey: expected a text"),
            (
                #""secretKey":"SK""#, #""secretKey":{"env":"KILLD_TEST_UNSET"}"#,
                "accounts.0.secretKey: the environment variable KILLD_TEST_UNSET is not set"
            ),
            (#""secretKey":"SK""#, #""secretKey":{"file":"nowhere"}"#, "accounts.0.secretKey: the file"),
            (#""secretKey":"SK""#, #""secretKey":{"path":"x"}"#, "accounts.0.secretKey.path: there is no such key"),
            (#""may":["*"]"#, #""may":["kill"]"#, #"accounts.0.may: "kill" is none of list, prepare"#),
            (#""may":["*"]"#, #""may":[]"#, "accounts.0.may: expected at least one of"),
            (#""instances":["*"]"#, #""instances":["a*b"]"#, #"accounts.0.instances: "a*b" is no instance id"#),
            (#""instances":["*"]"#, #""instances":[]"#, "accounts.0.instances: expected at least one"),
            (#""uin""#, #""color":"red","uin""#, "accounts.0.color: there is no such key"),
        ]
        for (before, after, message) in mistakes {
            let account = Self.account.replacingOccurrences(of: before, with: after)
            XCTAssertNotEqual(account, Self.account)
            assertRefused(try read(account: account), message, account)
        }
    }

    func testEveryMistakeInAnInstanceNamesItsKeyAndWhatWasExpected() {
        let mistakes: [(before: String, after: String, message: String)] = [
            (#""id":"cdb-1","#, "", "instances.0.id: missing"),
            (#""host":"127.0.0.1","port":3306,"#, "", "instances.0.host: missing"),
            (#""port":3306"#, #""port":0"#, "instances.0.port: expected a whole number from 1 to 65535"),
            (#""host""#, #""socket":"/run/mysqld.sock","host""#, "instances.0.socket: excludes host and port"),
            (#""user":"killd","#, "", "instances.0.user: missing"),
            (
                #""password":"p""#, #""tls":"on","password":"p""#,
                #"instances.0.tls: expected one of "disabled", "preferred""#
            ),
            (#""password":"p""#, #""ca":"ca.pem","password":"p""#, "instances.0.ca: is for tls"),
            (
                #""password":"p""#, #""product":"redis","password":"p""#,
                #"instances.0.product: expected one of "mysql""#
            ),
            (#""password":"p""#, #""adminPort":1,"password":"p""#, "instances.0.adminPort: needs adminHost"),
        ]
        for (before, after, message) in mistakes {
            let instance = Self.instance.replacingOccurrences(of: before, with: after)
            XCTAssertNotEqual(instance, Self.instance)
            assertRefused(try read(instance: instance), message, instance)
        }
    }

    func testASecretLosesOneNewlineAtItsEndWhereverItStands() throws {
        setenv("KILLD_TEST_PASSWORD", "from the environment\n", 1)
        try Data("from a file\r\n".utf8).write(to: URL(fileURLWithPath: folder + "/alice.key"))
        for (secret, text) in [
            (#"{"env":"KILLD_TEST_PASSWORD"}"#, "from the environment"), (#"{"file":"alice.key"}"#, "from a file"),
        ] {
            let account = Self.account.replacingOccurrences(of: #""SK""#, with: secret)
            XCTAssertEqual(try read(account: account).accounts[0].secretKey.reveal(), text)
        }
        setenv("KILLD_TEST_PASSWORD", "two\n\n", 1)
        let account = Self.account.replacingOccurrences(of: #""SK""#, with: #"{"env":"KILLD_TEST_PASSWORD"}"#)
        XCTAssertEqual(try read(account: account).accounts[0].secretKey.reveal(), "two\n")
    }

    func testAFileThatCannotBeReadSaysWhy() throws {
        func secret(_ file: String) -> String {
            Self.account.replacingOccurrences(of: #""SK""#, with: #"{"file":"\#(file)"}"#)
        }
        assertRefused(
            try read(account: secret("none")),
            "accounts.0.secretKey: the file \(folder)/none cannot be read: No such file", "")
        assertRefused(try read(account: secret(".")), "cannot be read: Is a directory", "")
        try Data([0xFF]).write(to: URL(fileURLWithPath: folder + "/binary"))
        assertRefused(try read(account: secret("binary")), "/binary is no text in UTF-8", "")
        let verifying = Self.instance.replacingOccurrences(
            of: #""user""#, with: #""tls":"verify-ca","ca":"none.pem","user""#)
        assertRefused(
            try read(instance: verifying), "instances.0.ca: the file \(folder)/none.pem cannot be read: No such", "")
        assertRefused(
            try read(top: #""messages":"none","#), "messages: the file \(folder)/none cannot be read: No such", "")
        for (path, reason) in [("\(folder)/none.json", "No such file or directory"), (folder, "Is a directory")] {
            assertRefused(try Configuration(file: path), "\(path) cannot be read: \(reason)", "")
        }
    }

    func testListenersShareNoPort() throws {
        let clashes = [
            (#""das":{"listen":"127.0.0.1:8155"},"#, "das.listen: 127.0.0.1:8155 and 127.0.0.1:8155 of listen"),
            (#""listen":"0.0.0.0:9000","operations":{"listen":"10.0.0.1:9000"},"#, "operations.listen: 10.0.0.1:9000"),
            (#""listen":"[::]:9000","das":{"listen":"127.0.0.1:9000"},"#, "das.listen: 127.0.0.1:9000 and [::]:9000"),
        ]
        for (top, message) in clashes { assertRefused(try read(top: top), message, top) }
        for top in [
            #""listen":"127.0.0.1:0","das":{"listen":"127.0.0.1:0"},"#,
            #""listen":"0.0.0.0:9000","das":{"listen":"[::1]:9000"},"#,
            #""listen":"127.0.0.1:9000","das":{"listen":"127.0.0.2:9000"},"#,
        ] {
            XCTAssertNoThrow(try read(top: top), top)
        }
    }

    func testWhatIsLikelyNotToBeMeantIsFound() throws {
        XCTAssertEqual(try read().findings, [])
        let account = Self.account.replacingOccurrences(of: #"["*"]}"#, with: #"["cdb-*","cdb-2","tdsql-*"]}"#)
        XCTAssertEqual(
            try read(account: account).findings.map(\.text),
            ["cdb-2", "tdsql-*"].map {
                "the account ci may use \"\($0)\", but no instance has such an id; there are cdb-1"
            })
        for host in ["0.0.0.0", "[::]", "10.0.0.1", "killd.example"] {
            let plain = try read(top: #""listen":"\#(host):1","das":{"listen":"\#(host):2"},"#).findings
            XCTAssertEqual(plain.map(\.key), ["listen", "das.listen"], host)
        }
        for host in ["127.0.0.1", "127.9.9.9", "localhost", "[::1]"] {
            XCTAssertEqual(try read(top: #""listen":"\#(host):1","#).findings, [], host)
        }
    }

    func testTrustedProxiesAreNetworksAndAWay() throws {
        XCTAssertNil(try read().trustedProxies)
        let way = #""protocol":"X-Forwarded-For""#
        let proxies = try read(top: #""trustedProxies":{"addresses":["10.0.0.0/8","::1"],\#(way)},"#).trustedProxies
        XCTAssertEqual(proxies?.networks.map(\.description), ["10.0.0.0/8", "::1/128"])
        XCTAssertEqual(proxies?.way, .forwardedFor)
        let proxy = try read(top: #""trustedProxies":{"addresses":["10.0.0.7"],"protocol":"PROXY"},"#).trustedProxies
        XCTAssertEqual(proxy?.way, .proxyProtocol)
        for (value, message) in [
            ("true", "trustedProxies: expected an object"), ("{}", "trustedProxies.addresses: missing"),
            (#"{"addresses":[],\#(way)}"#, "trustedProxies.addresses: missing"),
            (#"{"addresses":["0.0.0.0/0"],\#(way)}"#, #"trustedProxies.addresses: "0.0.0.0/0" is no IP address"#),
            (#"{"addresses":["10.0.0.1/8"],\#(way)}"#, #"trustedProxies.addresses: "10.0.0.1/8" is no IP address"#),
            (#"{"addresses":["proxy.example"],\#(way)}"#, "trustedProxies.addresses"),
            (#"{"addresses":["10.0.0.1"]}"#, "trustedProxies.protocol: missing"),
            (#"{"addresses":["10.0.0.1"],"protocol":"Forwarded"}"#, "trustedProxies.protocol: expected one of"),
            (#"{"addresses":["10.0.0.1"],\#(way),"port":1}"#, "trustedProxies.port: there is no such key"),
        ] {
            assertRefused(try read(top: #""trustedProxies":\#(value),"#), message, value)
        }
    }

    func testTheListenerForDASNeedsAnAddress() throws {
        XCTAssertNil(try read(top: "").dasListen)
        let configuration = try read(top: #""das":{"listen":"[::1]:8156"},"#)
        XCTAssertEqual(configuration.dasListen?.description, "[::1]:8156")
        for (text, problem) in [
            ("{}", "das.listen: missing"), (#"{"listen":"x"}"#, "das.listen: expected HOST:PORT"),
            (#"{"listen":"x:1","tls":1}"#, "das.tls: there is no such key"), ("1", "das: expected an object"),
        ] {
            assertRefused(try read(top: #""das":\#(text),"#), problem, text)
        }
    }

    func testNodesAreServersWithTheInstancesLogin() throws {
        func read(nodes: String) throws -> Configuration {
            try self.read(
                instance: Self.instance.replacingOccurrences(of: #""user""#, with: "\"nodes\":\(nodes),\"user\""))
        }
        let instance = try XCTUnwrap(
            read(nodes: #"[{"id":"pi-1","host":"10.0.0.8","port":3307},{"id":"pi-2","host":"::1"}]"#).instances.first)
        XCTAssertEqual(instance.nodes.map(\.id), ["pi-1", "pi-2"])
        XCTAssertEqual(instance.nodes.map(\.server.address.description), ["10.0.0.8:3307", "[::1]:3306"])
        for node in instance.nodes {
            var server = node.server
            server.address = instance.server.address
            server.adminAddress = instance.server.adminAddress
            XCTAssertEqual(server, instance.server)
        }
        for (nodes, problem) in [
            ("[]", "instances.0.nodes: expected a list with at least one object"),
            ("[{}]", "instances.0.nodes.0.id: missing"), (#"[{"id":"pi-1"}]"#, "instances.0.nodes.0.host: missing"),
            (#"[{"id":"pi-1","host":"h","port":0}]"#, "instances.0.nodes.0.port: expected a whole number"),
            (#"[{"id":"pi-1","host":"h","user":"u"}]"#, "instances.0.nodes.0.user: there is no such key"),
            (#"[{"id":"p","host":"h"},{"id":"p","host":"i"}]"#, "instances.0.nodes.1.id: \"p\" is used twice"),
            ("[{\"id\":\"\(String(repeating: "p", count: 129))\",\"host\":\"h\"}]", "expected at most 128 bytes"),
        ] { assertRefused(try read(nodes: nodes), problem, nodes) }
    }

    func testAnInstanceMayBeAnOceanBaseProxy() throws {
        func instance(_ keys: String) -> String {
            Self.instance.replacingOccurrences(of: #""user""#, with: keys + #""user""#)
        }
        XCTAssertEqual(try read(instance: Self.instance).instances[0].server.kind, .mysql)
        XCTAssertEqual(try read(instance: instance(#""kind":"mysql","#)).instances[0].server.kind, .mysql)
        let proxy = try read(instance: instance(#""kind":"oceanbase-odp","#)).instances[0].server
        XCTAssertEqual(proxy.kind, .oceanBaseODP)
        let usual = #"{"id":"ob-1","kind":"oceanbase-odp","host":"odp","user":"root@sys#c"}"#
        XCTAssertEqual(try read(instance: usual).instances[0].server.address.hostAndPort?.port, 2_883)
        assertRefused(
            try read(instance: instance(#""kind":"oceanbase","#)),
            #"expected one of "mysql", "oceanbase-odp", found "oceanbase""#, "")
        assertRefused(
            try read(instance: instance(#""kind":"oceanbase-odp","adminHost":"h","adminPort":1,"#)),
            #"is for kind "mysql" only"#, "")
    }

    func testTheOperationsListenerNeedsAnAddress() throws {
        let configuration = try read(top: #""operations":{"listen":"[::1]:8157"},"#)
        XCTAssertEqual(configuration.operationsListen?.description, "[::1]:8157")
        for (text, problem) in [
            ("{}", "operations.listen: missing"), (#"{"listen":"x"}"#, "operations.listen: expected HOST:PORT"),
            (#"{"listen":"x:1","tls":1}"#, "operations.tls: there is no such key"),
            ("1", "operations: expected an object"),
        ] {
            assertRefused(try read(top: "\"operations\":\(text),"), problem, text)
        }
    }

    func testTheLogLevelIsOneOfFour() throws {
        XCTAssertEqual(try read(top: #""logLevel":"debug","#).logLevel, .debug)
        assertRefused(
            try read(top: #""logLevel":"trace","#), #"expected one of "error", "warning", "info", "debug""#, "trace")
    }

    func testSecretsStandInNoDescription() throws {
        let configuration = try read(
            account: Self.account.replacingOccurrences(of: #""SK""#, with: #""hunter2-key""#),
            instance: Self.instance.replacingOccurrences(of: #""p""#, with: #""hunter2-password""#))
        var dumped = ""
        dump(configuration, to: &dumped)
        XCTAssertFalse((dumped + "\(configuration)" + String(reflecting: configuration)).contains("hunter2"))
    }

    func testAStarterConfigurationNeedsOnlyItsPassword() throws {
        setenv("KILLD_MYSQL_PASSWORD", "x", 1)
        let configuration = try read(InitCommand.configuration(secretID: "AKIDx", secretKey: "y"))
        XCTAssertEqual(configuration.instances.map(\.id), ["cdb-local001"])
    }

    private func assertRefused(
        _ read: @autoclosure () throws -> Configuration, _ message: String, _ json: String,
        file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertThrowsError(try read(), json, file: file, line: line) { error in
            XCTAssertTrue("\(error)".contains(message), "\(error) lacks \(message)", file: file, line: line)
        }
    }

    func testAnAccountMayHaveATokenOfTemporaryCredentials() throws {
        let account = Self.account.replacingOccurrences(of: "\"may\"", with: "\"token\":\"T\",\"may\"")
        XCTAssertEqual(try read(account: account).accounts[0].token?.reveal(), "T")
        XCTAssertNil(try read().accounts[0].token)
    }

    func testTextsOfOursCanBeReplacedByAFile() throws {
        try Data(#"{"The request body is not a JSON object.":"No object."}"#.utf8)
            .write(to: URL(fileURLWithPath: folder + "/messages.json"))
        let messages = try read(top: #""messages":"messages.json","#).messages
        XCTAssertEqual(messages.message(of: .notAJSONObject, in: .english), "No object.")
    }

    func testAFileOfTextsThatIsWrongIsRefusedInWords() throws {
        for (file, problem) in [
            ("[]", "messages: "), ("{", "messages: "),
            (#"{"InstanceId is invalid":"x"}"#, "killd answers with no text of its own like \"InstanceId is invalid\""),
            (#"{"The request body is not a JSON object.":"{1}"}"#, "the text has no values"),
            (#"{"The request body is not a JSON object.":1}"#, "expected a text"),
        ] {
            try Data(file.utf8).write(to: URL(fileURLWithPath: folder + "/messages.json"))
            XCTAssertThrowsError(try read(top: #""messages":"messages.json","#), file) { error in
                XCTAssertTrue("\(error)".contains(problem), "\(error)")
            }
        }
        XCTAssertThrowsError(try read(top: #""messages":"none.json","#)) { error in
            XCTAssertTrue("\(error)".contains("cannot be read"), "\(error)")
        }
    }
}
