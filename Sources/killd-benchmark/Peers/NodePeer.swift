import Foundation
import PrivateDatabase

/// Node.js's `http` module doing for a request what killd does: verify the
/// signature, parse the JSON, give it an id, and answer the same bytes.
final class NodePeer {
    let port: UInt16
    private let process = Process()

    /// - Parameter answer: a body of killd's; the RequestId is made anew for each.
    /// - Returns: nil where there is no Node.js.
    init?(answer: String) throws {
        guard let node = try? find("node", package: "nodejs") else { return nil }
        guard let id = answer.firstMatch(of: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) else {
            throw BenchmarkError("killd's answer has no RequestId: \(answer)")
        }
        port = try PrivateDatabase.freePort()
        process.executableURL = URL(fileURLWithPath: node)
        let parts = [answer[..<id.range.lowerBound], answer[id.range.upperBound...]].map(String.init)
        process.arguments = ["-e", Self.script, "\(port)"] + parts
        try process.run()
        try waitUntilListening(port)
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    private static let script = #"""
        const http = require('node:http'), crypto = require('node:crypto');
        const [port, before, after] = process.argv.slice(1);
        const sha256 = data => crypto.createHash('sha256').update(data).digest('hex');
        const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();
        const form = /^TC3-HMAC-SHA256 Credential=([^\/]+)\/([^\/]+)\/([^\/]+)\/tc3_request, ?/.source;
        const pattern = new RegExp(form + 'SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$');
        const secretKeys = new Map([['AKIDBENCH', 'SKBENCH']]), signingKeys = new Map();

        function signingKey(id, date, service) {
          const name = id + '/' + date + '/' + service;
          let key = signingKeys.get(name);
          if (!key) {
            key = hmac(hmac(hmac('TC3' + secretKeys.get(id), date), service), 'tc3_request');
            signingKeys.set(name, key);
          }
          return key;
        }

        function isVerified(request, body) {
          const [, id, date, service, names, signature] = pattern.exec(request.headers.authorization);
          const timestamp = request.headers['x-tc-timestamp'];
          if (!secretKeys.has(id) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
          const fields = names.split(';').map(name => name + ':' + request.headers[name].trim() + '\n').join('');
          const canonical = [request.method, '/', '', fields, names, sha256(body)].join('\n');
          const scope = date + '/' + service + '/tc3_request';
          const text = ['TC3-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n');
          return crypto.timingSafeEqual(hmac(signingKey(id, date, service), text), Buffer.from(signature, 'hex'));
        }

        http.createServer((request, response) => {
          const pieces = [];
          request.on('data', piece => pieces.push(piece));
          request.on('end', () => {
            const body = Buffer.concat(pieces);
            const isMissing = isVerified(request, body) && !('InstanceId' in JSON.parse(body.toString()));
            const answer = Buffer.from(before + crypto.randomUUID() + after);
            response.writeHead(isMissing ? 200 : 403,
              { 'Content-Type': 'application/json', 'Content-Length': answer.length });
            response.end(answer);
          });
        }).listen(Number(port), '127.0.0.1', 1024);
        """#
}
