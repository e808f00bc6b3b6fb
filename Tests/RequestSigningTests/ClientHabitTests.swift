import RequestSigning
import XCTest

/// What the official SDKs and other signers in use do differently from each
/// other.
final class ClientHabitTests: XCTestCase {
    private let habits: [(habit: String, client: SigningClient)] = [
        ("the received host, port included (go, php, dotnet, cpp)", SigningClient()),
        ("the host without the port (nodejs)", SigningClient().with { $0.signedHost = "127.0.0.1" }),
        (
            "the host without the port, the service from it (nodejs)",
            SigningClient().with {
                $0.signedHost = "127.0.0.1"; $0.service = "127"
            }
        ),
        (
            "the first label of an address as service (java, php, dotnet, cpp)",
            SigningClient().with { $0.service = "127" }
        ),
        (
            "the whole endpoint as service where it has no dot (java)",
            SigningClient().with {
                $0.host = "localhost:8080"; $0.service = "localhost:8080"
            }
        ),
        (
            "the host name as service where it has no dot (nodejs)",
            SigningClient().with {
                $0.host = "localhost:8080"; $0.signedHost = "localhost"; $0.service = "localhost"
            }
        ),
        (
            "an endpoint with scheme, sent and signed so (python)",
            SigningClient().with { $0.host = "http://127.0.0.1:8080" }
        ),
        ("an IPv6 address (go)", SigningClient().with { $0.host = "[::1]:8155" }),
        (
            "an IPv6 address without the port (nodejs)",
            SigningClient().with {
                $0.host = "[::1]:8155"; $0.signedHost = "[::1]"
            }
        ),
        ("gateway mode", SigningClient().with { $0.signedHost = "dbbrain.tencentcloudapi.com" }),
        ("gateway mode, international", SigningClient().with { $0.signedHost = "dbbrain.intl.tencentcloudapi.com" }),
        (
            "gateway mode, regional",
            SigningClient().with {
                $0.region = "ap-shanghai-fsi"
                $0.signedHost = "dbbrain.ap-shanghai-fsi.tencentcloudapi.com"
            }
        ),
        ("a name that the operator configured", SigningClient().with { $0.signedHost = "kill.internal.example" }),
        (
            "a configured name with the port of the received host, behind a gateway that rewrites the name",
            SigningClient().with {
                $0.host = "10.0.0.9:9000"; $0.signedHost = "kill.internal.example:9000"
            }
        ),
        (
            "a configured name with the port of the listener, behind one that leaves no port",
            SigningClient().with {
                $0.host = "10.0.0.9"; $0.signedHost = "kill.internal.example:8155"
            }
        ),
        (
            "a configured name with the port of https, behind one that ends TLS",
            SigningClient().with {
                $0.host = "10.0.0.9:9000"; $0.signedHost = "kill.internal.example:443"
            }
        ),
        (
            "a configured name with the port of http",
            SigningClient().with {
                $0.host = "10.0.0.9:9000"; $0.signedHost = "kill.internal.example:80"
            }
        ),
        (
            "a configured name and its first label as service",
            SigningClient().with {
                $0.signedHost = "kill.internal.example"; $0.service = "kill"
            }
        ),
        ("two blanks after the algorithm (dotnet)", SigningClient().with { $0.gap = "  " }),
        (
            "a content type with charset (java)",
            SigningClient().with { $0.contentType = "application/json; charset=utf-8" }
        ),
        (
            "capitals in the content type as sent",
            SigningClient().with { $0.contentType = "application/json; charset=UTF-8" }
        ),
        (
            "capitals in the content type lower-cased",
            SigningClient().with {
                $0.contentType = "application/json; charset=UTF-8"
                $0.signedContentType = "application/json; charset=utf-8"
            }
        ),
        ("capitals in the host as sent", SigningClient().with { $0.host = "KillD.example:8155" }),
        (
            "capitals in the host lower-cased",
            SigningClient().with {
                $0.host = "KillD.example:8155"; $0.signedHost = "killd.example:8155"
            }
        ),
        (
            "the action signed in lower case (the documentation)",
            SigningClient().with { $0.headers = [("X-TC-Action", "KillMySqlThreads", "killmysqlthreads")] }
        ),
        (
            "the action signed as sent",
            SigningClient().with { $0.headers = [("X-TC-Action", "KillMySqlThreads", "KillMySqlThreads")] }
        ),
        (
            "the action lower-cased, capitals in the content type as sent",
            SigningClient().with {
                $0.contentType = "application/json; charset=UTF-8"
                $0.headers = [("X-TC-Action", "KillMySqlThreads", "killmysqlthreads")]
            }
        ),
        (
            "a header that sorts before content-type",
            SigningClient().with { $0.headers = [("Accept", "*/*", "*/*"), ("X-TC-Action", "KillMySqlThreads", nil)] }
        ),
        ("UNSIGNED-PAYLOAD", SigningClient().with { $0.declaresUnsignedPayload = true }),
        (
            "a query in no order and with blanks of both kinds",
            SigningClient().with {
                $0.method = "GET"
                $0.query = "Product=mysql&InstanceId=a+b%20c&Threads.1=2&Threads.0=1"
                $0.contentType = "application/x-www-form-urlencoded"
                $0.payload = []
            }
        ),
    ]

    func testVerifiesEveryHabit() throws {
        for (habit, client) in habits {
            do {
                let request = try TC3SignedRequest(try client.request(), signedHosts: names)
                let verdict = try request.verify(secretKey: client.secretKey, at: client.timestamp)
                XCTAssertEqual(verdict, .verified, habit)
            } catch {
                XCTFail("\(habit): \(error)")
            }
        }
    }

    func testRefusesEveryHabitUnderAnotherKey() throws {
        for (habit, client) in habits {
            let request = try TC3SignedRequest(try client.request(), signedHosts: names)
            let verdict = try request.verify(secretKey: Secret("SKEXAMPLF"), at: client.timestamp)
            XCTAssertEqual(verdict, .mismatched, habit)
        }
    }

    func testRefusesASignedHostThatIsNoneOfItsNames() throws {
        let clients = [
            SigningClient().with { $0.signedHost = "kill.internal.example" },
            SigningClient().with { $0.signedHost = "kill.internal.example:8155" },
            SigningClient().with { $0.signedHost = "cvm.tencentcloudapi.com" },
            SigningClient().with { $0.signedHost = "dbbrain.ap-beijing.tencentcloudapi.com" },
            SigningClient().with {
                $0.region = "evil.example/"
                $0.signedHost = "dbbrain.evil.example/.tencentcloudapi.com"
            },
        ]
        for client in clients {
            let request = try TC3SignedRequest(try client.request(), signedHosts: .none)
            let verdict = try request.verify(secretKey: client.secretKey, at: client.timestamp)
            XCTAssertEqual(verdict, .mismatched, client.signedHost ?? "")
        }
    }
}
