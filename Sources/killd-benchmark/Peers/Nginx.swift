import Foundation
import PrivateDatabase

/// nginx with one worker that answers everything with the same body.
final class Nginx {
    let port: UInt16
    private let process = Process()

    init(answerSize: Int, tls: ServerCertificate? = nil, in folder: String) throws {
        port = try PrivateDatabase.freePort()
        let file = folder + "/nginx.conf"
        // Debian 12's leaves out TLS 1.3 otherwise.
        let ssl =
            tls.map {
                "ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate \($0.certificate); ssl_certificate_key \($0.key);"
            } ?? ""
        try Data(
            """
            worker_processes 1; daemon off; pid \(folder)/nginx.pid; error_log \(folder)/nginx.log;
            events { worker_connections 512; }
            http {
              access_log off; keepalive_requests 100000000; client_body_temp_path \(folder)/nginx-body;
              proxy_temp_path \(folder)/nginx-proxy; fastcgi_temp_path \(folder)/nginx-fastcgi;
              uwsgi_temp_path \(folder)/nginx-uwsgi; scgi_temp_path \(folder)/nginx-scgi;
              server { listen 127.0.0.1:\(port)\(tls == nil ? "" : " ssl"); \(ssl) default_type application/json;
                       location / { return 200 "\(String(repeating: "x", count: answerSize))"; } }
            }
            """.utf8
        ).write(to: URL(fileURLWithPath: file))
        process.executableURL = URL(fileURLWithPath: try find("nginx", package: "nginx-light"))
        process.arguments = ["-c", file, "-p", folder]
        try process.run()
        try waitUntilListening(port)
    }

    /// Of its worker, in seconds.
    func processorTime() throws -> Double {
        let number = process.processIdentifier
        let children = try String(contentsOfFile: "/proc/\(number)/task/\(number)/children", encoding: .utf8)
        guard let worker = children.split(separator: " ").first.flatMap({ Int32($0) }) else {
            throw BenchmarkError("nginx has no worker")
        }
        return try killd_benchmark.processorTime(of: worker)
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}
