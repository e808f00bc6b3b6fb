import HTTPServer

/// What an `HTTPServer` responds with: a client's response has the same name.
typealias ServedResponse = HTTPResponse
