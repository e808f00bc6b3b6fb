import APIClient
import ContractFixtures
import FileDescriptors
import HTTPServer
import RequestSigning

/// `killd stand-in --record FILE --upstream URL`: nothing is scripted; requests go on to another server and are written
/// down with what it answers.
struct RecordedUpstream: Sendable {
    private let file: String
    private let upstream: Endpoint
    /// By which requests are signed anew.
    private let credentials: APICredentials?

    static let options = [
        (
            spelling: "--record FILE",
            meaning: "scripts nothing: passes requests on, and writes them and the answers here"
        ),
        (spelling: "--upstream URL", meaning: "where to; with the keys of TENCENTCLOUD_SECRET_ID and …_KEY, if set"),
    ]

    /// `nil` if nothing is to be recorded.
    init?(_ arguments: inout Arguments) throws(UsageError) {
        switch (try arguments.option("--record"), try arguments.option("--upstream")) {
        case (nil, nil): return nil
        case (let file?, let text?):
            guard let endpoint = Endpoint(text) else {
                throw UsageError("--upstream: expected http://HOST:PORT or https://HOST:PORT, found \"\(text)\"")
            }
            self.file = file
            upstream = endpoint
        default: throw UsageError("--record and --upstream need each other")
        }
        if let id = ClientOptions.environment("TENCENTCLOUD_SECRET_ID"),
            let key = ClientOptions.environment("TENCENTCLOUD_SECRET_KEY")
        {
            credentials = APICredentials(secretID: id, secretKey: Secret(key))
        } else {
            credentials = nil
        }
    }

    /// Serves at an address until it is told to stop.
    ///
    /// - Parameter announce: is told the endpoint, once it answers.
    func run(at address: ListenAddress, announce: (String) throws -> Void) async throws -> ExitStatus {
        let stop = StopSignal()
        let recorder: Recorder
        do {
            recorder = try Recorder(file: file, upstream: .init(endpoint: upstream), credentials: credentials)
        } catch let error as FileError {
            throw CommandFailure("\(file): \(error.words)")
        }
        let server = try HTTPServer(listen: address, handler: { recorder.respond(to: $0) })
        try server.start()
        Terminal.standardError.announce(
            "killd stand-in: it scripts nothing: requests go on to \(upstream), and what they do is done there\n")
        try announce("http://\(server.boundAddress)")
        _ = await stop.signal()
        await server.drain(within: .seconds(5))
        return .done
    }
}
